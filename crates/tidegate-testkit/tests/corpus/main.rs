//! The fuzz targets' tests, in a process of its own: its memory is what the targets took.

#[cfg(test)]
mod inputs;
