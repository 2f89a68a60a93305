//! Tests of the journal: what is lost when the power fails, and what must not be.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::base::eight_bits;
use crate::catalog::{Catalog, FILE_NAME, FileRow, FileState, Root};
use crate::files::Stamp;
use crate::picture::Hash;

const FRAME: usize = FRAME_HEADER_BYTES + 8_192;
/// Pictures that one transaction stores.
const TOGETHER: u32 = 3;

/// The catalog and its journal as a process leaves them that is killed after so many transactions.
fn killed_after(transactions: u32) -> (Vec<u8>, Vec<u8>) {
    let state = tempfile::tempdir().unwrap();
    let mut catalog = Catalog::open(state.path()).unwrap().catalog;
    // Some of it is in the file, and the first pages of the journal are of an earlier round.
    (0..transactions / 3).for_each(|number| store(&mut catalog, number));
    catalog.connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
    (transactions / 3..transactions).for_each(|number| store(&mut catalog, number));
    let read = |name: &str| fs::read(state.path().join(name)).unwrap();
    (read(FILE_NAME), read("catalog.sqlite-wal"))
}

/// As they come back.
fn features(number: u32) -> Vec<f32> {
    eight_bits::rounded(&[number as f32; 2_432])
}

fn store(catalog: &mut Catalog, number: u32) {
    let write = |catalog: &Catalog| {
        for picture in 0..TOGETHER {
            let (path, hash) = (format!("{number}-{picture}.jpg"), hash(number, picture));
            let row = FileRow { path: path.into(), stamp: Stamp::NEVER, state: FileState::Read(hash) };
            catalog.put_file(Root::Inventory, &row)?;
            catalog.put_features(hash, "v1", &features(number))?;
            catalog.put_embedding(hash, "m1", &[number as f32; 192])?;
        }
        Ok(())
    };
    catalog.together_unflushed(write).unwrap();
}

fn hash(number: u32, picture: u32) -> Hash {
    Hash::of(&[number.to_le_bytes(), picture.to_le_bytes()].concat())
}

/// A state folder with these two files.
fn state_of(file: &[u8], journal: &[u8]) -> TempDir {
    let state = tempfile::tempdir().unwrap();
    fs::write(state.path().join(FILE_NAME), file).unwrap();
    fs::write(state.path().join("catalog.sqlite-wal"), journal).unwrap();
    state
}

/// How many transactions a catalog has: each whole, and no other.
fn transactions_in(state: &Path) -> u32 {
    let opened = Catalog::open(state).unwrap();
    assert_eq!(opened.set_aside, None);
    let catalog = opened.catalog;
    catalog.check().unwrap();
    assert!(!catalog.is_damaged() && catalog.take_damaged_rows(1).is_empty());
    let count = u32::try_from(catalog.files(Root::Inventory).unwrap().len()).unwrap() / TOGETHER;
    for (number, picture) in (0..count).flat_map(|number| (0..TOGETHER).map(move |picture| (number, picture))) {
        let hash = hash(number, picture);
        assert_eq!(catalog.features(hash, "v1").unwrap().unwrap(), features(number));
        assert_eq!(catalog.embedding(hash, "m1").unwrap().unwrap(), [number as f32; 192]);
        assert_eq!(catalog.files_with(Root::Inventory, hash).unwrap().len(), 1);
    }
    let all = catalog.contents_with_features("v1").unwrap().len();
    assert_eq!(
        (catalog.files(Root::Inventory).unwrap().len(), all),
        ((count * TOGETHER) as usize, (count * TOGETHER) as usize)
    );
    count
}

/// Power that fails takes back the last transactions, and nothing else, wherever the journal ends: after a page, within one,
/// within its header. Nobody is told: that is what a failure of power does.
#[test]
fn a_journal_cut_anywhere_gives_whole_transactions() {
    let (file, journal) = killed_after(9);
    let pages = (journal.len() - HEADER_BYTES) / FRAME;
    assert!(pages > 20, "{pages} pages");
    let ends = (0..=pages).map(|page| HEADER_BYTES + page * FRAME);
    let cuts =
        ends.flat_map(|end| [end, end + 11, end + FRAME_HEADER_BYTES + 4_000]).filter(|cut| *cut <= journal.len());
    let mut found = Vec::new();
    for cut in cuts.chain([0, 13]) {
        let state = state_of(&file, &journal[..cut]);
        assert!(!is_damaged(&state.path().join("catalog.sqlite-wal")).unwrap(), "cut at {cut}");
        found.push((cut, transactions_in(state.path())));
    }
    found.sort_unstable();
    assert!(found.is_sorted_by_key(|(_, count)| count), "a longer journal has no less: {found:?}");
    let (first, last) = (found[0].1, found[found.len() - 1].1);
    assert_eq!((first, last), (3, 9), "what was moved into the file stays, and with all of the journal all is there");
}

/// The disk may write the last pages in any order: zeros are where one is missing.
#[test]
fn pages_that_never_came_to_the_disk_take_back_what_came_later() {
    let (file, journal) = killed_after(9);
    for page in 0..(journal.len() - HEADER_BYTES) / FRAME {
        let mut journal = journal.clone();
        journal[HEADER_BYTES + page * FRAME..][..FRAME].fill(0);
        assert!((3..9).contains(&transactions_in(state_of(&file, &journal).path())));
    }
    let mut journal = journal;
    journal.fill(0);
    let state = state_of(&file, &journal);
    assert!(!is_damaged(&state.path().join("catalog.sqlite-wal")).unwrap());
    assert_eq!(transactions_in(state.path()), 3);
}

#[test]
fn damage_before_the_end_of_the_journal_is_said() {
    let (file, journal) = killed_after(9);
    let said = |at: usize| {
        let mut journal = journal.clone();
        journal[at] ^= 4;
        let opened = Catalog::open(state_of(&file, &journal).path()).unwrap();
        assert!(opened.set_aside.is_none());
        opened.journal.map(|trouble| trouble.what)
    };
    let header = said(17).expect("a header that is none");
    assert_eq!(header, "the catalog's journal is damaged");
    for at in [
        0,
        9,
        30,
        HEADER_BYTES + 9,
        HEADER_BYTES + 100,
        HEADER_BYTES + 3 * FRAME + 17,
        HEADER_BYTES + 5 * FRAME + 2_000,
    ] {
        assert_eq!(said(at).as_ref(), Some(&header), "byte {at}");
    }
    assert_eq!(said(journal.len() - 100), None, "as if the power had failed there");
}

/// Its pages stay in the journal where no other comes over them.
#[test]
fn a_large_transaction_that_was_rolled_back_is_no_damage() {
    let state = tempfile::tempdir().unwrap();
    let mut catalog = Catalog::open(state.path()).unwrap().catalog;
    catalog.connection.pragma_update(None, "cache_size", 20).unwrap();
    let failed: Result<(), _> = catalog.together(|catalog| {
        (0..400).try_for_each(|number| catalog.put_features(hash(number, 0), "v1", &[1.0; 1_280]))?;
        Err(crate::error::Trouble::new("made to fail", "here", ""))
    });
    assert!(failed.is_err());
    store(&mut catalog, 0);
    let journal = state.path().join("catalog.sqlite-wal");
    assert!(fs::metadata(&journal).unwrap().len() > 30 * FRAME as u64, "its pages were written");
    assert!(!is_damaged(&journal).unwrap());
    store(&mut catalog, 1);
    assert!(!is_damaged(&journal).unwrap());
    assert!(!is_damaged(&state.path().join("none")).unwrap());
}
