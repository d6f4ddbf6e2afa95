//! The API over real sockets.
#[test]
fn nothing() {}
