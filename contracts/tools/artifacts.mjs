// Writes artifacts/ from forge's output, or with --check compares. An artefact holds what a client needs to deploy
// and call a contract, and nothing that depends on the machine.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const CONTRACTS = ["AttestedRollup", "CweCredit", "EpochMirror", "PayoutVault"];
const root = new URL("../", import.meta.url);

function artifact(name) {
  const built = JSON.parse(readFileSync(new URL(`out/${name}.sol/${name}.json`, root), "utf8"));
  const { abi, bytecode, deployedBytecode } = built;
  const kept = {
    contractName: name,
    abi,
    bytecode: { object: bytecode.object },
    deployedBytecode: { object: deployedBytecode.object },
  };
  return JSON.stringify(kept, null, 2) + "\n";
}

const checking = process.argv.includes("--check");
mkdirSync(new URL("artifacts/", root), { recursive: true });
for (const name of CONTRACTS) {
  const path = `artifacts/${name}.json`;
  const target = new URL(path, root);
  if (!checking) {
    writeFileSync(target, artifact(name));
  } else if (!existsSync(target) || readFileSync(target, "utf8") !== artifact(name)) {
    console.error(`${path} is not what the sources give: run \`npm run artifacts\` and commit it`);
    process.exitCode = 1;
  }
}
