use super::*;
use crate::signature::SecretKey;
use alloy::{primitives::keccak256, signers::local::PrivateKeySigner};
use primitives::{Credits, EpochId, WorkId};
use proptest::prelude::*;
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

const WHO: (PersonId, u64) = (PersonId([0xa1; 32]), u64::MAX - 1);

fn ours() -> Eip712Domain {
    domain(ChainId(u64::MAX - 6), Digest([0x5a; 32]))
}

fn wallet(n: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(n)).expect("a key")
}

fn address(wallet: &PrivateKeySigner) -> Layer1Address {
    Layer1Address(wallet.address().into_array())
}

fn bind_key() -> BindKey {
    let mut rng = ChaCha20Rng::seed_from_u64(8);
    BindKey::of(WHO, &SecretKey::generate(&mut rng).public_key())
}

fn transfer() -> Transfer {
    Transfer::of(WHO, &treasury::Transfer { to: PersonId([0xb2; 32]), amount: Credits(1_234_567) })
}

fn claim() -> Claim {
    let (epoch, work, payee) = (EpochId(3), WorkId([0xc3; 32]), WHO.0);
    let path = crate::merkle::path(&[crate::merkle::EMPTY], 0).expect("a path");
    Claim::of(WHO.1, &dapr::Claim { epoch, work, payee, amount: Credits(99), path })
}

fn vote() -> Vote {
    Vote::of(WHO, &governance::Vote { proposal: 17, choice: governance::Choice::Abstain })
}

/// EIP-712 written plainly from its text, over nothing but the JSON that a wallet is given.
mod plain {
    use super::*;

    fn fields(data: &Value, name: &str) -> Option<Vec<(String, String)>> {
        let text = |field: &Value, member: &str| field[member].as_str().expect("a text").to_owned();
        let list = data["types"].get(name)?.as_array().expect("a list");
        Some(list.iter().map(|field| (text(field, "type"), text(field, "name"))).collect())
    }

    /// "name ‖ "(" ‖ member1 ‖ "," ‖ member2 ‖ "," ‖ ... ‖ memberN ")"", and the structs that members are of, sorted.
    fn encode_type(data: &Value, name: &str) -> String {
        let mut seen = vec![name.to_owned()];
        let mut at = 0;
        while at < seen.len() {
            for (kind, _) in fields(data, &seen[at]).expect("a struct") {
                if fields(data, &kind).is_some() && !seen.contains(&kind) {
                    seen.push(kind);
                }
            }
            at += 1;
        }
        seen[1..].sort();
        let one = |name: &String| {
            let members: Vec<_> =
                fields(data, name).expect("a struct").iter().map(|(k, n)| format!("{k} {n}")).collect();
            format!("{name}({})", members.join(","))
        };
        seen.iter().map(one).collect()
    }

    fn word(data: &Value, kind: &str, value: &Value) -> [u8; 32] {
        if fields(data, kind).is_some() {
            return hash_struct(data, kind, value);
        }
        let text = value.as_str().map(str::to_owned).unwrap_or_else(|| value.to_string());
        let mut word = [0; 32];
        match kind {
            "string" => keccak256(text).0,
            "bytes32" => hex::decode_to_array(text).expect("32 bytes"),
            "address" => {
                word[12..].copy_from_slice(&hex::decode(text).expect("20 bytes"));
                word
            }
            "uint256" | "uint64" | "uint8" => {
                word[16..].copy_from_slice(&text.parse::<u128>().expect("a number").to_be_bytes());
                word
            }
            other => panic!("no type {other}"),
        }
    }

    /// "keccak256(typeHash ‖ encodeData(s))"
    fn hash_struct(data: &Value, name: &str, value: &Value) -> [u8; 32] {
        let mut input = keccak256(encode_type(data, name)).to_vec();
        for (kind, field) in fields(data, name).expect("a struct") {
            input.extend(word(data, &kind, &value[field]));
        }
        keccak256(input).0
    }

    /// "\x19\x01" ‖ domainSeparator ‖ hashStruct(message)
    pub(super) fn signing_hash(data: &Value) -> B256 {
        let mut input = vec![0x19, 0x01];
        input.extend(hash_struct(data, "EIP712Domain", &data["domain"]));
        input.extend(hash_struct(data, data["primaryType"].as_str().expect("a name"), &data["message"]));
        keccak256(input)
    }
}

#[test]
fn the_plain_hash_is_that_of_the_standard() {
    // The example of EIP-712 itself.
    let mail = json!({
        "types": {
            "EIP712Domain": [
                { "name": "name", "type": "string" },
                { "name": "version", "type": "string" },
                { "name": "chainId", "type": "uint256" },
                { "name": "verifyingContract", "type": "address" }
            ],
            "Person": [{ "name": "name", "type": "string" }, { "name": "wallet", "type": "address" }],
            "Mail": [
                { "name": "from", "type": "Person" },
                { "name": "to", "type": "Person" },
                { "name": "contents", "type": "string" }
            ]
        },
        "primaryType": "Mail",
        "domain": {
            "name": "Ether Mail",
            "version": "1",
            "chainId": 1,
            "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"
        },
        "message": {
            "from": { "name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826" },
            "to": { "name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB" },
            "contents": "Hello, Bob!"
        }
    });
    let known = "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2";
    assert_eq!(plain::signing_hash(&mail).to_string(), known);
}

/// The JSON of a message, after a wallet has read it as text.
fn shown<M: Message>(message: &M) -> Value {
    serde_json::from_str(&typed_data_json(message, &ours()).to_string()).expect("JSON")
}

#[test]
fn a_wallet_that_reads_the_json_signs_the_same() {
    assert_eq!(plain::signing_hash(&shown(&bind_key())), digest(&bind_key(), &ours()));
    assert_eq!(plain::signing_hash(&shown(&transfer())), digest(&transfer(), &ours()));
    assert_eq!(plain::signing_hash(&shown(&claim())), digest(&claim(), &ours()));
    assert_eq!(plain::signing_hash(&shown(&vote())), digest(&vote(), &ours()));
}

#[test]
fn the_json_says_what_is_signed() {
    let said = shown(&transfer());
    assert_eq!(said["primaryType"], "Transfer");
    assert_eq!(said["domain"]["name"], "Clean Web Economy");
    assert_eq!(said["domain"]["version"], "1");
    assert_eq!(said["domain"]["chainId"], (u64::MAX - 6).to_string());
    assert_eq!(said["domain"]["salt"], format!("0x{}", "5a".repeat(32)));
    let message = json!({
        "person": format!("0x{}", "a1".repeat(32)),
        "nonce": (u64::MAX - 1).to_string(),
        "to": format!("0x{}", "b2".repeat(32)),
        "amount": "1234567",
    });
    assert_eq!(said["message"], message);
    let names: Vec<_> =
        said["types"]["EIP712Domain"].as_array().expect("a list").iter().map(|f| &f["name"]).collect();
    assert_eq!(names, ["name", "version", "chainId", "salt"]);
}

/// Digests of a message with one value changed at a time.
fn digests_of_all_changes(said: &Value) -> Vec<B256> {
    let mut found = vec![plain::signing_hash(said)];
    for part in ["domain", "message"] {
        for member in said[part].as_object().expect("an object").keys() {
            let mut other = said.clone();
            let value = other[part][member].as_str().expect("a text").to_owned();
            // The last digit becomes another one.
            let last = if value.ends_with('1') { "2" } else { "1" };
            other[part][member] = format!("{}{last}", &value[..value.len() - 1]).into();
            found.push(plain::signing_hash(&other));
        }
    }
    found
}

#[test]
fn every_value_is_signed_and_no_message_is_another() {
    let messages = [shown(&bind_key()), shown(&transfer()), shown(&claim()), shown(&vote())];
    let all: Vec<B256> = messages.iter().flat_map(digests_of_all_changes).collect();
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!((all.len(), distinct.len()), (4 + 4 * 4 + 3 + 4 + 5 + 4, all.len()));
}

#[test]
fn who_signed_is_found() {
    let signature = sign(&vote(), &ours(), &wallet(7)).expect("signed");
    assert_eq!(recover(&digest(&vote(), &ours()), &signature), Ok(address(&wallet(7))));
    // Another message is another wallet's, whose key nobody has.
    let other = recover(&digest(&Vote { choice: 1, ..vote() }, &ours()), &signature);
    assert_ne!(other, Ok(address(&wallet(7))));
    // The same number and another genesis, and the other way around.
    let (chain, genesis) = (ChainId(u64::MAX - 6), Digest([0x5a; 32]));
    for elsewhere in [domain(ChainId(1), genesis), domain(chain, Digest([0x5b; 32]))] {
        assert_ne!(recover(&digest(&vote(), &elsewhere), &signature), Ok(address(&wallet(7))));
    }
}

/// Order of the group of secp256k1.
const ORDER: U256 = U256::from_limbs([0xbfd2_5e8c_d036_4141, 0xbaae_dce6_af48_a03b, u64::MAX - 1, u64::MAX]);

fn with(signature: &WalletSignature, place: std::ops::Range<usize>, number: U256) -> WalletSignature {
    let mut changed = *signature;
    changed[place].copy_from_slice(&number.to_be_bytes::<32>());
    changed
}

#[test]
fn a_signature_has_one_form() {
    let digest = digest(&transfer(), &ours());
    let signature = sign(&transfer(), &ours(), &wallet(7)).expect("signed");
    let s = U256::from_be_slice(&signature[32..64]);
    // The twin that the curve allows: -s, and the other parity.
    let mut twin = with(&signature, 32..64, ORDER - s);
    twin[64] = 55 - signature[64];
    let taken = Signature::from_raw_array(&twin).expect("a signature").recover_address_from_prehash(&digest);
    assert_eq!(taken.expect("other readers take it"), wallet(7).address());
    assert_eq!(recover(&digest, &twin), Err(WalletError::HighS));
    for found in (0..=u8::MAX).filter(|v| ![27, 28].contains(v)) {
        let mut other = signature;
        other[64] = found;
        assert_eq!(recover(&digest, &other), Err(WalletError::Parity { found }));
    }
    let half = ORDER >> 1;
    assert_ne!(recover(&digest, &with(&signature, 32..64, half)), Err(WalletError::HighS));
    assert_eq!(recover(&digest, &with(&signature, 32..64, half + U256::ONE)), Err(WalletError::HighS));
    for number in [U256::ZERO, ORDER, U256::MAX] {
        assert_eq!(recover(&digest, &with(&signature, 0..32, number)), Err(WalletError::NoKey));
        assert!(recover(&digest, &with(&signature, 32..64, number)).is_err());
    }
    // 5 is the x of no point.
    assert_eq!(recover(&digest, &with(&signature, 0..32, U256::from(5))), Err(WalletError::NoKey));
}

#[test]
fn no_byte_of_a_signature_can_be_another() {
    let digest = digest(&transfer(), &ours());
    let signature = sign(&transfer(), &ours(), &wallet(7)).expect("signed");
    for at in 0..signature.len() {
        for bit in 0..8 {
            let mut changed = signature;
            changed[at] ^= 1 << bit;
            assert_ne!(recover(&digest, &changed), Ok(address(&wallet(7))), "bit {bit} of byte {at}");
        }
    }
}

proptest! {
    #[test]
    fn any_transfer_is_shown_as_it_is_signed(person: [u8; 32], to: [u8; 32], nonce: u64, amount: u64, chain: u64) {
        let action = treasury::Transfer { to: PersonId(to), amount: Credits(amount) };
        let message = Transfer::of((PersonId(person), nonce), &action);
        let domain = domain(ChainId(chain), Digest(to));
        prop_assert_eq!(plain::signing_hash(&typed_data_json(&message, &domain)), digest(&message, &domain));
    }

    #[test]
    fn bytes_at_random_stop_nothing(digest: [u8; 32], rs: [u8; 32], s: [u8; 32], v in 25u8..30) {
        let mut signature = [v; WALLET_SIGNATURE_BYTES];
        signature[..32].copy_from_slice(&rs);
        signature[32..64].copy_from_slice(&s);
        let found = recover(&digest.into(), &signature);
        prop_assert_eq!(found.is_ok() || found == Err(WalletError::HighS) || found == Err(WalletError::NoKey), v == 27 || v == 28);
    }
}
