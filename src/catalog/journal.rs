//! Whether the journal beside the catalog (SQLite's write-ahead log) is as it was written.
//!
//! SQLite reads it up to the first page that does not fit its checksum, and says nothing of those behind. At the end that is
//! normal: a process was killed, or the power failed, in the middle of writing. But where the end of another transaction of the
//! same round follows (pages carry the two salts of their round), what had been committed is lost. Other pages may lie there: a
//! large transaction that was rolled back leaves some.
//! The format: <https://sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
/// "The numbers of checksums are big-endian"; without the last bit they are little-endian.
const MAGIC: u32 = 0x377f_0683;
const FORMAT: u32 = 3_007_000;

/// Whether transactions in it are lost that had been committed. `false` where there is none.
///
/// # Errors
/// When it cannot be read.
pub(super) fn is_damaged(path: &Path) -> io::Result<bool> {
    match File::open(path) {
        Ok(file) => examine(&mut BufReader::with_capacity(1 << 16, file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn examine(journal: &mut impl Read) -> io::Result<bool> {
    let mut header = [0; HEADER_BYTES];
    if !fill(journal, &mut header)? || header.iter().all(|byte| *byte == 0) {
        // Its first page never reached the disk.
        return Ok(false);
    }
    let Some(mut sum) = RunningSum::begin(&header) else { return Ok(true) };
    let mut page = vec![0; number(&header, 8) as usize];
    let mut frame = [0; FRAME_HEADER_BYTES];
    let mut is_whole = true;
    while fill(journal, &mut frame)? && fill(journal, &mut page)? {
        let is_of_this_round = frame[8..16] == header[16..24];
        let ends_transaction = number(&frame, 4) != 0;
        if !is_whole && is_of_this_round && ends_transaction {
            return Ok(true);
        }
        is_whole = is_whole && is_of_this_round && sum.fits(&frame, &page);
    }
    Ok(false)
}

/// The checksum over the header and all pages up to one.
struct RunningSum {
    is_big_endian: bool,
    sums: [u32; 2],
}

impl RunningSum {
    /// That of the header; `None` where the header is none.
    fn begin(header: &[u8; HEADER_BYTES]) -> Option<Self> {
        let (magic, page_bytes) = (number(header, 0), number(header, 8));
        let is_known = magic | 1 == MAGIC && number(header, 4) == FORMAT;
        let mut sum = Self { is_big_endian: magic == MAGIC, sums: [0; 2] };
        sum.add(&header[..24]);
        let is_size = page_bytes.is_power_of_two() && (512..=65_536).contains(&page_bytes);
        (is_known && is_size && sum.sums == [number(header, 24), number(header, 28)]).then_some(sum)
    }

    /// Adds a page; `false` if it does not fit the checksum in its header.
    fn fits(&mut self, frame: &[u8; FRAME_HEADER_BYTES], page: &[u8]) -> bool {
        self.add(&frame[..8]);
        self.add(page);
        number(frame, 0) != 0 && self.sums == [number(frame, 16), number(frame, 20)]
    }

    fn add(&mut self, bytes: &[u8]) {
        let [mut first, mut second] = self.sums;
        for pair in bytes.chunks_exact(8) {
            let words = [0, 4].map(|at| match self.is_big_endian {
                true => number(pair, at),
                false => number(pair, at).swap_bytes(),
            });
            first = first.wrapping_add(words[0]).wrapping_add(second);
            second = second.wrapping_add(words[1]).wrapping_add(first);
        }
        self.sums = [first, second];
    }
}

/// The big-endian number at an offset.
fn number(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// Fills `buffer`; `false` at the end of the file.
fn fill(journal: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match journal.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
