//! What a party serves of an epoch is what its committee works with, and a false one is found out.

use super::{mesh::Mesh, world};
use crate::opening::{EpochDocument, OpeningError};
use chain::modules::usage::{IssuerKey, Opening, RegionKey};
use primitives::{CodecError, Decode, Encode, EpochId, Tier};
use proofs::shard::ShardError;

fn on_record(mesh: &Mesh<'_>, epoch: EpochId) -> Result<EpochDocument, OpeningError> {
    EpochDocument::on_record(mesh.node.lock().unwrap().ledger().state(), epoch)
}

#[test]
fn devices_get_the_context_that_the_committee_has() {
    let (mesh, opened) = Mesh::opened();
    let document = on_record(&mesh, world::EPOCH).unwrap();
    let served = EpochDocument::from_bytes(&document.to_bytes()).unwrap();
    assert_eq!(served, document);
    let derived = served.opened().unwrap();
    let digests = |shards: &[std::sync::Arc<proofs::epoch::EpochContext>]| -> Vec<_> {
        shards.iter().map(|context| context.digest).collect()
    };
    assert_eq!(digests(&derived.shards), digests(&opened.shards));
    assert_eq!((&derived.max_bundles, &derived.sold), (&opened.max_bundles, &opened.sold));
    assert_eq!(derived.seating, opened.seating);
    let never = EpochId(2);
    assert_eq!(on_record(&mesh, never), Err(OpeningError::NotOpen { epoch: never }));
}

#[test]
fn a_document_has_one_spelling_and_what_is_false_in_it_has_a_name() {
    let (mesh, _) = Mesh::opened();
    let document = on_record(&mesh, world::EPOCH).unwrap();
    type Lie = fn(&mut Opening, &mut Vec<IssuerKey>, &mut Vec<RegionKey>);
    let told = |lie: Lie| {
        let mut opening = document.opening().clone();
        let (mut issuers, mut regions) = (document.issuers().to_vec(), document.regions().to_vec());
        lie(&mut opening, &mut issuers, &mut regions);
        EpochDocument::new(opening, issuers, regions)
    };
    let misspelt: [(Lie, _); 5] = [
        (|_, issuers, _| issuers.reverse(), OpeningError::Issuers),
        (|_, issuers, _| issuers[0].epoch = EpochId(9), OpeningError::Issuers),
        (|_, issuers, _| issuers[1].tier = Tier(9), OpeningError::Issuers),
        (|_, _, regions| regions.reverse(), OpeningError::Regions),
        (|_, _, regions| regions[0].epoch = EpochId(9), OpeningError::Regions),
    ];
    for (lie, error) in misspelt {
        assert_eq!(told(lie), Err(error));
    }
    let region = document.regions()[0].region;
    let useless: [(Lie, _); 4] = [
        (|_, issuers, _| issuers[0].key[9] ^= 1, OpeningError::IssuerKey { tier: Tier(1) }),
        (|_, _, regions| regions[0].denomination = 0, OpeningError::RegionKey { region, denomination: 0 }),
        (|opening, _, _| opening.works.clear(), OpeningError::Shards(ShardError::Empty)),
        (|opening, _, _| opening.rooms.clear(), OpeningError::Rooms { shards: 1, rooms: 0 }),
    ];
    for (lie, error) in useless {
        assert_eq!(told(lie).unwrap().opened().err(), Some(error));
    }
    let mut bytes = document.to_bytes();
    bytes.push(0);
    assert_eq!(EpochDocument::from_bytes(&bytes), Err(CodecError::Trailing { extra: 1 }));
}
