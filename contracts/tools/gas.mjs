// Checks that README.md says of gas what snapshots/gas.json holds.

import { readFileSync } from "node:fs";

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const readme = read("README.md");

for (const [call, gas] of Object.entries(JSON.parse(read("snapshots/gas.json")))) {
  const figure = Number(gas).toLocaleString("en-US");
  if (!readme.includes(figure)) {
    console.error(`README.md does not say ${figure} for ${call}`);
    process.exitCode = 1;
  }
}
