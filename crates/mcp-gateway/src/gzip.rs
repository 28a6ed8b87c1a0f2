//! Gzip around bytes that were compressed before: one member, whose middle is the prepared one.
//!
//! A deflate stream is a row of blocks. What differs from answer to answer goes into stored blocks, before and after
//! the prepared ones, which refer to nothing outside themselves. So the result is a single member, as every client
//! reads it, unlike a row of members, of which some read the first alone.

use std::{
    io::{self, Write as _},
    mem,
};

use bytes::{BufMut as _, Bytes, BytesMut};
use flate2::{Compression, Crc, write::DeflateEncoder};

/// Deflate, no time, no name, no system.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The longest stored block.
const STORED: usize = 0xffff;

/// Compressed bytes that a member can be built around.
#[derive(Debug)]
pub(crate) struct Packed {
    blocks: Bytes,
    sum: Crc,
}

impl Packed {
    pub(crate) fn of(plain: &[u8]) -> io::Result<Self> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain)?;
        // Ends the last block at a whole byte, and does not mark it as the last of the stream.
        encoder.flush()?;
        let blocks = mem::take(encoder.get_mut()).into();
        Ok(Self { blocks, sum: sum(plain) })
    }

    /// A gzip member of `before`, the prepared bytes, and `after`.
    pub(crate) fn member(&self, before: &[u8], after: &[u8]) -> [Bytes; 3] {
        let mut head = BytesMut::with_capacity(HEAD.len() + before.len() + 5);
        head.put_slice(&HEAD);
        store(&mut head, before, false);

        let mut whole = sum(before);
        whole.combine(&self.sum);
        whole.combine(&sum(after));
        let mut tail = BytesMut::with_capacity(after.len() + 13);
        store(&mut tail, after, true);
        tail.put_u32_le(whole.sum());
        tail.put_u32_le(whole.amount());
        [head.freeze(), self.blocks.clone(), tail.freeze()]
    }
}

fn sum(bytes: &[u8]) -> Crc {
    let mut sum = Crc::new();
    sum.update(bytes);
    sum
}

/// Writes `bytes`, which are not empty, as blocks without compression, from one whole byte to another.
fn store(out: &mut BytesMut, bytes: &[u8], is_end: bool) {
    let mut blocks = bytes.chunks(STORED).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.put_u8(u8::from(is_end && blocks.peek().is_none()));
        out.put_u16_le(length);
        out.put_u16_le(!length);
        out.put_slice(block);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn a_member_around_prepared_bytes_is_one_that_any_reader_takes() {
        let long = "id".repeat(STORED);
        let page = "{\"name\":\"acme--pets--read\"},".repeat(5_000);
        for before in ["{", long.as_str()] {
            for page in ["", "x", page.as_str()] {
                let packed = Packed::of(page.as_bytes()).unwrap();
                let member = packed.member(before.as_bytes(), b"}").concat();
                let mut text = String::new();
                // This reader stops after the first member.
                GzDecoder::new(member.as_slice()).read_to_string(&mut text).unwrap();
                assert!(text == format!("{before}{page}}}"), "{} and {} bytes", before.len(), page.len());
            }
        }
    }

    #[test]
    fn a_page_of_similar_entries_becomes_small() {
        let page = "{\"name\":\"acme--pets--read\"},".repeat(5_000);
        assert!(Packed::of(page.as_bytes()).unwrap().blocks.len() < page.len() / 50);
    }
}
