//! Who is at the ends of a link.

use primitives::{CodecError, Decode, Encode, PartyId, Reader, Writer};
use std::fmt;

/// A host of the committee. Of two, the lower one dials: parties in order, then the standby.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// That of a party.
    Party(PartyId),
    /// That of the standby, which takes the seat of a party that is gone.
    Standby,
}

impl Host {
    /// All four, in order.
    pub const ALL: [Self; 4] = [
        Self::Party(PartyId::ALL[0]),
        Self::Party(PartyId::ALL[1]),
        Self::Party(PartyId::ALL[2]),
        Self::Standby,
    ];

    /// Whether this host dials `other`. If not, `other` dials this one.
    pub fn dials(self, other: Self) -> bool {
        self < other
    }

    /// The name in a TLS greeting under which `self` calls `to`. It proves nothing: it lets a refusal say who called.
    pub(super) fn calling(self, to: Self) -> String {
        format!("{}.{}.link.invalid", self.label(), to.label())
    }

    /// Who says to be calling, by [`Host::calling`].
    pub(super) fn caller(name: &str) -> Option<Self> {
        let label = name.split('.').next()?;
        Self::ALL.into_iter().find(|host| host.label() == label)
    }

    fn label(self) -> String {
        self.to_string().replace(' ', "-")
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Party(party) => write!(f, "party {party}"),
            Self::Standby => f.write_str("standby"),
        }
    }
}

impl Encode for Host {
    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Party(party) => party.encode(w),
            Self::Standby => 0u8.encode(w),
        }
    }
}

impl Decode for Host {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        match u8::decode(r)? {
            0 => Ok(Self::Standby),
            party => {
                party.try_into().map(Self::Party).map_err(|_| CodecError::Invalid { what: "host of a link" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_hosts_exactly_one_dials() {
        for (at, one) in Host::ALL.into_iter().enumerate() {
            assert!(!one.dials(one));
            for other in &Host::ALL[at + 1..] {
                assert!(one.dials(*other) && !other.dials(one));
            }
        }
    }

    #[test]
    fn a_host_is_known_by_the_name_that_it_calls_under_and_by_its_bytes() {
        for host in Host::ALL {
            assert_eq!(Host::caller(&host.calling(Host::Standby)), Some(host));
            assert_eq!(Host::from_bytes(&host.to_bytes()), Ok(host));
        }
        assert_eq!(Host::caller("example.org"), None);
        assert_eq!(Host::from_bytes(&[4]), Err(CodecError::Invalid { what: "host of a link" }));
    }
}
