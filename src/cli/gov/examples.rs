//! Examples in the help of `cwe gov`.

pub(super) const PROPOSE_EXAMPLES: &str = "\
Examples:
  cwe gov propose --key me.key --text why.md --from 20 \\
      --set alpha=1.1 --set governance.quorum=12%
      parameters by their names, in the units of people; `cwe gov rules` lists
      them all

  cwe gov propose --key me.key --text why.md --from 20 --file proposal.toml
      the file of `cwe gov impact`: what differs in it from what holds then,
      every parameter of its preset too

  cwe gov propose --key me.key --text why.md --give auditor --to 4f1c…
  cwe gov propose --key me.key --text why.md --spend eco=2500 --to 4f1c…
  cwe gov propose --key me.key --text why.md --deprecate-work 9a3b… --from 20
  cwe gov propose --key me.key --text charter.md --resolve
      a decision that no code carries out; the text itself is what is decided

Values: 1.0 for ratios; 0.05 or 5% for shares; 7d, 12h, 90s
for times; credits for amounts; true or false for switches. An epoch of --from
must not have opened when the proposal is enacted, which is weeks after the vote
begins.

The ledger holds the hash of the text. Publish the text where voters find it.
Who makes a proposal is a voter on record.";

pub(super) const LIFE: &str = "\
The life of a proposal:
  cwe gov propose --key me.key --text why.md --set beta=0.3 --from 20
      it is made, and talked about
  cwe gov show
      where each stands, and what comes next and when
  cwe gov say 1 --text doubts.md --key me.key
  cwe gov withdraw 1 --key me.key
      by its proposer, before its vote begins
  cwe gov vote 1 yes --key me.key
      while its vote runs
  cwe gov approve 1 --key councillor.key
      where it takes the council: `cwe gov show 1` says
  cwe gov veto 1 --key councillor.key
      before it is enacted
  cwe gov enact 1
      after the notice, by anybody";

pub(super) const SHOW_EXAMPLES: &str = "\
Examples:
  cwe gov show
  cwe gov show 1 --text why.md
      one proposal, and whether this is the text that it is about; exit code 1
      if it is another
  cwe gov show -o json | jq '.proposals[] | select(.stage == \"voting\")'";

pub(super) const VOTE_EXAMPLES: &str = "\
Examples:
  cwe gov vote 1 yes --key me.key
  cwe gov vote 1 abstain --key me.key

Who votes is on record as a voter, and was so before the proposal was made. A
vote is public, and final.";

pub(super) const RULES_EXAMPLES: &str = "\
Examples:
  cwe gov rules
  cwe gov rules --epoch 20
      as far as is decided now

In JSON `text` is a value as people write it, and `value` the ledger's integer:
ratios in units of 2^-32, shares in basis points, times in seconds, amounts in
micro-credits.";

pub(super) const ELECT_EXAMPLES: &str = "\
Examples:
  cwe gov call-election --key me.key
  cwe gov council
      who sits until when, and where the election stands
  cwe gov stand 1 --key me.key
  cwe gov elect 1 4f1c… 7d02… --key me.key
  cwe gov close-election 1";

pub(super) const CASE_EXAMPLES: &str = "\
Examples:
  cwe gov open-case --text complaint.md --remove-work 9a3b… --key me.key
  cwe gov cases
      what comes next in each
  cwe gov withdraw-case 1 --key me.key
      by who brought it, before the beacon that draws its jury is being revealed
  cwe gov draw-jury 1
      once the beacon of its epoch is there
  cwe gov challenge 1 4f1c… --key me.key
  cwe gov jury-vote 1 grant --key juror.key
  cwe gov close-case 1";
