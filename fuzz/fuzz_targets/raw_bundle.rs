//! Bytes to the decoder and the verifier of bundles. Give it honest bundles to start from.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    cwe_fuzz::mutations::judge(data);
});
