use super::*;

#[test]
fn callers_never_take_what_the_gateway_itself_needs() {
    for (open_files, wanted, expected) in [
        (1024, 4096, Some(384)),
        (1024, 100, Some(100)),
        (65_536, 4096, Some(4096)),
        (u64::MAX, 4096, Some(4096)),
        (258, 4096, Some(1)),
        (257, 4096, None),
        (0, 4096, None),
    ] {
        let held = held(open_files, wanted);
        assert_eq!(held.clone().ok(), expected, "{open_files} open files: {held:?}");
        if let Err(error) = held {
            assert!(error.0.contains("LimitNOFILE"), "{error}");
        }
    }
}

#[test]
fn the_limit_is_raised_as_far_as_it_goes() {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most.min(900), most).unwrap();
    assert!(connections(1).is_ok());
    assert_eq!(getrlimit(Resource::RLIMIT_NOFILE).unwrap(), (most, most));
}
