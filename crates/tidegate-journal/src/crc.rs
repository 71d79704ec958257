//! CRC-32C (Castagnoli), as in RFC 3720 appendix B.4; eight bytes a step.

const TABLES: [[u32; 256]; 8] =
    [table(1), table(2), table(3), table(4), table(5), table(6), table(7), table(8)];

/// The checksum of the parts, one after the other.
pub fn crc32c(parts: &[&[u8]]) -> u32 {
    !parts.iter().fold(!0, |crc, part| extend(crc, part))
}

fn extend(crc: u32, bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<8>();
    let [t0, t1, t2, t3, t4, t5, t6, t7] = &TABLES;
    let mut crc = crc;
    for &[a, b, c, d, e, f, g, h] in words {
        let [w, x, y, z] = (crc ^ u32::from_le_bytes([a, b, c, d])).to_le_bytes();
        crc = at(t7, w) ^ at(t6, x) ^ at(t5, y) ^ at(t4, z);
        crc ^= at(t3, e) ^ at(t2, f) ^ at(t1, g) ^ at(t0, h);
    }
    for &byte in rest {
        let [low, ..] = crc.to_le_bytes();
        crc = (crc >> 8) ^ at(t0, low ^ byte);
    }
    crc
}

fn at(table: &[u32; 256], index: u8) -> u32 {
    // A byte always finds its entry; the compiler sees that and drops the check.
    table.get(usize::from(index)).copied().unwrap_or(0)
}

/// What each byte becomes when `bytes` bytes, itself the first, have passed.
const fn table(bytes: u32) -> [u32; 256] {
    let mut table = [0; 256];
    let mut rest = table.as_mut_slice();
    let mut byte = 0_u32;
    while let Some((entry, tail)) = rest.split_first_mut() {
        let mut crc = byte;
        let mut bit = 0;
        while bit < 8 * bytes {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
            bit += 1;
        }
        *entry = crc;
        rest = tail;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests;
