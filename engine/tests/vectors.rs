//! The golden vectors of messages between parties are what the program sends.

#[path = "../examples/message_vectors.rs"]
mod message_vectors;

#[test]
fn not_a_byte_of_the_golden_messages_differs() {
    let committed = include_str!("../../vectors/messages.json");
    let fresh = message_vectors::vectors();
    for (committed, fresh) in committed.lines().zip(fresh.lines()) {
        assert!(
            committed == fresh,
            "vectors/messages.json has\n{committed}\nwhere its example prints\n{fresh}"
        );
    }
    assert!(committed == fresh, "vectors/messages.json has another length than what its example prints");
}
