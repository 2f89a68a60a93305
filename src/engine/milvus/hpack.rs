//! The headers of HTTP/2 (HPACK, RFC 7541), as far as a client needs them that keeps no table: its own are written as they are, and those
//! of a server that was told to keep none are read.

/// What a header block is not allowed to be.
#[derive(Debug, PartialEq, Eq)]
pub struct BadHeaders;

/// The names, or names and values, that have numbers, from 1: RFC 7541, appendix A. Of those with values, only the status matters here.
const STATIC_NAMES: [&str; 61] = [
    ":authority",
    ":method",
    ":method",
    ":path",
    ":path",
    ":scheme",
    ":scheme",
    ":status",
    ":status",
    ":status",
    ":status",
    ":status",
    ":status",
    ":status",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "accept",
    "access-control-allow-origin",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "etag",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "proxy-authenticate",
    "proxy-authorization",
    "range",
    "referer",
    "refresh",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
];
/// The values of `:status` from number 8 on.
const STATIC_STATUS: [&str; 7] = ["200", "204", "206", "304", "400", "404", "500"];

/// Bits of the Huffman code of each byte, and of the end: RFC 7541, appendix B. The code is canonical: it follows from the lengths.
const CODE_BITS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
    28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12,
    10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6,
    5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22,
    22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20,
    22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28,
    27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28,
    27, 27, 27, 27, 27, 26, 30,
];
/// Of the end, which must not occur.
const END: usize = 256;
const LONGEST_CODE: u8 = 30;

/// Writes headers, none of which anybody remembers.
pub fn write(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        // A literal with a new name, not indexed.
        block.push(0);
        for text in [name, value] {
            write_number(text.len(), 7, 0, &mut block);
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// A number in the last `bits` of a first byte, and in as many as follow; `flags` are the other bits of the first.
fn write_number(number: usize, bits: u32, flags: u8, block: &mut Vec<u8>) {
    let most = (1_usize << bits) - 1;
    if number < most {
        return block.push(flags | number as u8);
    }
    block.push(flags | most as u8);
    let mut rest = number - most;
    while rest >= 128 {
        block.push((rest % 128) as u8 | 128);
        rest /= 128;
    }
    block.push(rest as u8);
}

/// Reads the headers of a block, in order.
pub fn read(block: &[u8]) -> Result<Vec<(String, String)>, BadHeaders> {
    let (mut rest, mut headers) = (block, Vec::new());
    while let Some(first) = rest.first() {
        match first {
            // Both by number.
            128.. => {
                let number = read_number(&mut rest, 7)?;
                headers.push((name_of(number)?, value_of(number)));
            }
            // Literals: to be remembered, which was forbidden but does no harm until somebody refers to it; and not.
            64.. => headers.push(read_literal(&mut rest, 6)?),
            0..32 => headers.push(read_literal(&mut rest, 4)?),
            // The size of the table that is not kept.
            32..64 => _ = read_number(&mut rest, 5)?,
        }
    }
    Ok(headers)
}

fn read_literal(rest: &mut &[u8], bits: u32) -> Result<(String, String), BadHeaders> {
    let number = read_number(rest, bits)?;
    let name = if number == 0 { read_text(rest)? } else { name_of(number)? };
    Ok((name, read_text(rest)?))
}

fn name_of(number: usize) -> Result<String, BadHeaders> {
    let name = number.checked_sub(1).and_then(|at| STATIC_NAMES.get(at));
    name.map(ToString::to_string).ok_or(BadHeaders)
}

fn value_of(number: usize) -> String {
    number.checked_sub(8).and_then(|at| STATIC_STATUS.get(at)).map(ToString::to_string).unwrap_or_default()
}

fn read_number(rest: &mut &[u8], bits: u32) -> Result<usize, BadHeaders> {
    let most = (1_usize << bits) - 1;
    let mut number = usize::from(next(rest)?) & most;
    if number < most {
        return Ok(number);
    }
    // No text is longer than a header block.
    for shift in [0, 7, 14, 21] {
        let byte = next(rest)?;
        number += usize::from(byte & 127) << shift;
        if byte < 128 {
            return Ok(number);
        }
    }
    Err(BadHeaders)
}

fn next(rest: &mut &[u8]) -> Result<u8, BadHeaders> {
    let (first, others) = rest.split_first().ok_or(BadHeaders)?;
    *rest = others;
    Ok(*first)
}

fn read_text(rest: &mut &[u8]) -> Result<String, BadHeaders> {
    let is_coded = rest.first().ok_or(BadHeaders)? & 128 != 0;
    let length = read_number(rest, 7)?;
    if length > rest.len() {
        return Err(BadHeaders);
    }
    let (text, others) = rest.split_at(length);
    *rest = others;
    let bytes = if is_coded { decoded(text)? } else { text.to_vec() };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Text in the Huffman code, whose codes of one length follow one another in the order of the bytes.
fn decoded(text: &[u8]) -> Result<Vec<u8>, BadHeaders> {
    let mut symbols: Vec<usize> = (0..CODE_BITS.len()).collect();
    symbols.sort_by_key(|symbol| (CODE_BITS[*symbol], *symbol));
    let of_length = |bits: u8| symbols.partition_point(|symbol| CODE_BITS[*symbol] < bits);
    let mut bytes = Vec::new();
    // The code so far, its length, and the first code of that length.
    let (mut code, mut bits, mut first) = (0_u32, 0_u8, 0_u32);
    for bit in text.iter().flat_map(|byte| (0..8).rev().map(move |at| u32::from(byte >> at & 1))) {
        (code, bits, first) = (code << 1 | bit, bits + 1, first << 1);
        if bits > LONGEST_CODE {
            return Err(BadHeaders);
        }
        let (start, end) = (of_length(bits), of_length(bits + 1));
        let at = code.wrapping_sub(first) as usize;
        if code >= first && at < end - start {
            match symbols[start + at] {
                END => return Err(BadHeaders),
                symbol => bytes.push(symbol as u8),
            }
            (code, bits, first) = (0, 0, 0);
        } else {
            first += (end - start) as u32;
        }
    }
    // What is left is less than a byte, of ones.
    if bits < 8 && code == (1 << bits) - 1 { Ok(bytes) } else { Err(BadHeaders) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let long = "x".repeat(5_000);
        let pairs = [(":path", "/a.B/C"), ("te", "trailers"), ("authorization", &long), ("empty", "")];
        assert_eq!(read(&write(&pairs)).unwrap(), headers(&pairs));
    }

    /// RFC 7541, C.4.1, C.6.1 (without its table), and a status by number.
    #[test]
    fn the_examples_of_the_standard_are_read() {
        let first = bytes("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff");
        let expected = [(":method", ""), (":scheme", ""), (":path", ""), (":authority", "www.example.com")];
        assert_eq!(read(&first).unwrap(), headers(&expected));
        let second = bytes("4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff");
        let expected = [(":status", "302"), ("cache-control", "private"), ("date", "Mon, 21 Oct 2013 20:13:21 GMT")];
        assert_eq!(read(&second).unwrap(), headers(&expected));
        assert_eq!(read(&[0x88, 0x20]).unwrap(), headers(&[(":status", "200")]));
    }

    #[test]
    fn what_is_no_header_block_is_refused_and_never_panics() {
        for wrong in ["bf", "80", "00", "0085", "00 7f ff ff ff ff 01", "00 84 ffff ffff 00", "00 01 61 82 00 00"] {
            assert_eq!(read(&bytes(wrong)), Err(BadHeaders), "{wrong}");
        }
        let mut random = artificio_random::Random::new(4);
        for _ in 0..20_000 {
            let block: Vec<u8> = (0..random.count(0, 30)).map(|_| random.count(0, 255) as u8).collect();
            let _ = read(&block);
        }
    }
}
