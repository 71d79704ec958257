#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    tidegate_testkit::fuzz::run("oauth_request_object", data);
});
