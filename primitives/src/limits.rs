//! Every limit of the system, with its reason. Relations between limits are asserted at compile time, at the end.

/// Most works in one shard of a registry snapshot: six base-4 digits.
pub const MAX_SHARD_WIDTH: usize = 4096;
/// Fewest works in one shard: one base-4 digit.
pub const MIN_SHARD_WIDTH: usize = 4;
/// Most shards of an epoch: every party keeps bases, sums and a chain of batches for each of them.
pub const MAX_SHARDS: usize = 64;
/// Most works of an epoch: what all shards hold at their widest.
pub const MAX_WORKS: usize = MAX_SHARDS * MAX_SHARD_WIDTH;
/// Most works of one creator, ever: a shard's worth. The registry is there for all of them, and a work costs little.
pub const MAX_WORKS_PER_CREATOR: u32 = 4096;
/// Views of one work by one subscriber that have an index of their own: three base-4 digits. Indices from `J_max`
/// on count nothing and serve as padding.
pub const VIEW_INDICES: u16 = 64;
/// Largest `J_max` that governance may set: at least one index must be left for padding events.
pub const MAX_COUNTED_VIEWS: u16 = 63;
/// Sizes to which bundles are padded, in events. Few sizes, so that a size says little.
pub const BUNDLE_SIZES: [usize; 3] = [8, 32, 128];
/// Windows of an epoch in which bundles are handed in.
pub const WINDOWS: u16 = 24;
/// Most receipts in one bundle: one for every event of the largest bundle.
pub const MAX_RECEIPTS: usize = 128;
/// What one bandwidth receipt may stand for, in views.
pub const RECEIPT_DENOMINATIONS: [u8; 3] = [1, 4, 16];
/// Regions of serving nodes.
pub const REGIONS: u8 = 8;
/// Most subscription tiers of an epoch.
pub const MAX_TIERS: usize = 8;
/// Most seconds of silence after which a party's seat may be taken: a day.
pub const MAX_SEAT_PATIENCE: u32 = 86_400;
/// Most groups that totals are kept apart by: tiers, each with its regions and with none.
pub const MAX_GROUPS: usize = MAX_TIERS * (REGIONS as usize + 1);
/// Modulus of blind RSA keys, in bits.
pub const RSA_BITS: usize = 2048;
/// Modulus of blind RSA keys, and so length of a signature, in bytes.
pub const RSA_BYTES: usize = RSA_BITS / 8;
/// Length of the DER encoding of a blind RSA public key of exactly 2,048 bits with exponent 65,537.
pub const RSA_KEY_BYTES: usize = 294;
/// Longest bundle that intake reads, in bytes: the vector over the widest shard, 128 events, 128 receipts.
pub const MAX_BUNDLE_BYTES: usize = 512 * 1024;
/// Most bundles in one batch.
pub const MAX_BATCH: usize = 256;
/// Most batches in one epoch.
pub const MAX_BATCHES: u64 = 1 << 20;

/// Width in bits of the value limb of a work's count: summed value in 2^-18 units.
pub const VALUE_BITS: u32 = 54;
/// Width of the limb of plain views.
pub const VIEWS_BITS: u32 = 38;
/// Width of the limb of receipt-backed views.
pub const BACKED_BITS: u32 = 38;
/// Width of the limb of listeners.
pub const LISTENER_BITS: u32 = 32;
/// Lowest bit of the limb of plain views.
pub const VIEWS_SHIFT: u32 = VALUE_BITS;
/// Lowest bit of the limb of backed views.
pub const BACKED_SHIFT: u32 = VIEWS_SHIFT + VIEWS_BITS;
/// Lowest bit of the limb of listeners.
pub const LISTENER_SHIFT: u32 = BACKED_SHIFT + BACKED_BITS;
/// Width of a whole count.
pub const COUNT_BITS: u32 = LISTENER_SHIFT + LISTENER_BITS;
/// Room for statistical masking of a count under MPC.
pub const MASK_BITS: u32 = 80;
/// Most pairs of a subscriber and an epoch that one total may hold, residuals of earlier epochs included. The value
/// limb decides: 2^30 pairs of at most 63 whole plays at 2^18 units stay below 2^54, and 2^31 pairs would not.
pub const MAX_SUBSCRIBER_EPOCHS: u64 = 1 << 30;
/// Bits below the binary point of one event's value: 16 of `value(j)` and 2 of the played fraction in quarters.
pub const EVENT_VALUE_BITS: u32 = 18;
/// Quarters in a whole play.
pub const MAX_QUARTERS: u8 = 4;

const _: () = {
    assert!(MAX_SHARD_WIDTH == 1 << 12, "six base-4 digits name a work");
    assert!(VIEW_INDICES == 1 << 6, "three base-4 digits name a view");
    assert!(MAX_COUNTED_VIEWS < VIEW_INDICES, "padding events need an index that counts nothing");
    // No limb can overflow into the next: a subscriber gives a work at most one listener, VIEW_INDICES views, and
    // VIEW_INDICES times a whole value.
    assert!(MAX_SUBSCRIBER_EPOCHS < 1 << LISTENER_BITS);
    assert!((MAX_SUBSCRIBER_EPOCHS as u128) * (VIEW_INDICES as u128) < 1 << VIEWS_BITS);
    assert!((MAX_SUBSCRIBER_EPOCHS as u128) * (VIEW_INDICES as u128) < 1 << BACKED_BITS);
    assert!(
        (MAX_SUBSCRIBER_EPOCHS as u128) * (MAX_COUNTED_VIEWS as u128) * (1 << EVENT_VALUE_BITS)
            < 1 << VALUE_BITS
    );
    // A masked count, with a carry, stays below the group order of 252 bits.
    assert!(COUNT_BITS == 162);
    assert!(COUNT_BITS + MASK_BITS + 1 < 252);
    assert!(BUNDLE_SIZES[2] <= MAX_RECEIPTS);
    assert!(MAX_BUNDLE_BYTES > MAX_SHARD_WIDTH * 32 + MAX_RECEIPTS * (RSA_BYTES + 64));
};
