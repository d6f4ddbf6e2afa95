// `npm test`: everything that is checked before a change goes in. `node tools/check.mjs --write` writes what the
// checks compare: formatting, generated constants, artefacts and the gas table.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const writing = process.argv.includes("--write");
const check = writing ? [] : ["--check"];
const node = (...args) => [process.execPath, ...args];
const forge = (...args) => node("tools/forge.mjs", ...args);

const steps = [
  ["constants of Poseidon", node("tools/poseidon.mjs", ...check)],
  ["format", forge("fmt", ...check)],
  ["build", forge("build")],
  ["tests", forge("test", "--no-match-contract", "GasTest")],
  ["artefacts", node("tools/artifacts.mjs", ...check)],
  [
    "gas",
    // Isolated: every call is a transaction of its own and pays for its calldata.
    forge("test", "--match-contract", "GasTest", "--isolate", `--gas-snapshot-${writing ? "emit" : "check"}=true`),
  ],
  ["gas in the README", node("tools/gas.mjs")],
];

const failed = [];
for (const [name, [command, ...args]] of steps) {
  console.log(`\n== ${name}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) failed.push(name);
}
console.log(failed.length === 0 ? "\nAll checks hold." : `\nFailed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
