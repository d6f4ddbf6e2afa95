// Runs forge as npm installed it for this machine, and ends with its exit code: the package's own launcher ends with 0
// whatever forge found.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";

const { platform, arch } = process;
const machine = `${platform}-${arch === "x64" ? "amd64" : arch}`;
const program = platform === "win32" ? "forge.exe" : "forge";
const path = createRequire(import.meta.url).resolve(`@foundry-rs/forge-${machine}/bin/${program}`);

const { status } = spawnSync(path, process.argv.slice(2), { stdio: "inherit" });
process.exitCode = status ?? 1;
