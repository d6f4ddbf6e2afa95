//! A list of changes to an honest bundle.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    cwe_fuzz::mutations::changed(data);
});
