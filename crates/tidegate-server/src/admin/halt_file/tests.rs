use super::*;

/// A file on a disk that answers so.
struct On(ErrorKind);

impl Write for On {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_has_room_for_the_name_that_halts() {
    assert!(write_reason(&mut On(ErrorKind::StorageFull), "fire").is_ok());
    let failed = write_reason(&mut On(ErrorKind::ReadOnlyFilesystem), "fire").unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::ReadOnlyFilesystem);
}
