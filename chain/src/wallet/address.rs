//! How people write accounts on L1: the case of the letters checks the digits (EIP-55).

use alloy::primitives::Address;
use primitives::{Layer1Address, ids};
use thiserror::Error;

/// Before the digits of an address.
const PREFIX: &str = "0x";

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It has not the form of one.
    #[error("expected 0x and 40 hexadecimal digits")]
    Form,
    /// Its letters are of both cases, and not those that follow from its digits.
    #[error(
        "its capitals do not fit its digits (EIP-55), so that one of them is wrong: copy the address again"
    )]
    Checksum,
}

/// Reads an address. In one case alone it has nothing that could be checked.
///
/// Errors: every variant of [`AddressError`].
pub fn read(text: &str) -> Result<Layer1Address, AddressError> {
    let digits = text.strip_prefix(PREFIX).ok_or(AddressError::Form)?;
    let small = digits.to_ascii_lowercase();
    let bytes = ids::from_hex(&small).map_err(|_| AddressError::Form)?;
    let address = Layer1Address(bytes.try_into().map_err(|_| AddressError::Form)?);
    if digits == small || digits == digits.to_ascii_uppercase() || text == show(&address) {
        Ok(address)
    } else {
        Err(AddressError::Checksum)
    }
}

/// Writes an address with the case that checks it.
pub fn show(address: &Layer1Address) -> String {
    Address::from(address.0).to_checksum(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test cases of EIP-55: all capitals, all small, and both.
    const GOOD: [&str; 6] = [
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    ];

    #[test]
    fn an_address_is_checked_by_the_case_of_its_letters() {
        for good in GOOD {
            let address = read(good).expect("an address");
            assert_eq!(show(&address), good);
            assert_eq!(read(&good.to_lowercase()), Ok(address));
        }
        let both = GOOD[4];
        for (right, wrong) in [("5aAe", "5aAE"), ("5aAe", "6aAe"), ("BeAed", "BeAee")] {
            assert_eq!(read(&both.replace(right, wrong)), Err(AddressError::Checksum), "{wrong}");
        }
        for wrong in ["", "0x", &both[2..], &both[..41], &format!("{both}00"), &both.replace("5a", "5g")] {
            assert_eq!(read(wrong), Err(AddressError::Form), "{wrong}");
        }
    }
}
