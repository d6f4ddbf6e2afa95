//! Bytes to one decoder, which the first byte names.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cwe_fuzz::decoders::one(data));
