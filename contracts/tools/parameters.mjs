// Poseidon over BN254's scalar field with a state of three: round constants and matrix by the paper's own generator,
// and the same permutation with sparse partial rounds. It repeats chain/src/poseidon in another language on purpose:
// the vectors hold both to the same numbers.

export const MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
export const FULL_ROUNDS = 8;
export const PARTIAL_ROUNDS = 57;
const WIDTH = 3;
const FIELD_BITS = 254;

const reduce = (x) => ((x % MODULUS) + MODULUS) % MODULUS;
const range = (n, f) => Array.from({ length: n }, (_, i) => f(i));

function power(base, exponent) {
  let result = 1n;
  for (; exponent > 0n; exponent >>= 1n, base = (base * base) % MODULUS) {
    if (exponent & 1n) result = (result * base) % MODULUS;
  }
  return result;
}

const invert = (x) => power(reduce(x), MODULUS - 2n);

/** The Grain LFSR in self-shrinking mode, seeded with the parameters (Poseidon paper, appendix E). */
function* grainBits() {
  const fields = [[1, 2], [0, 4], [FIELD_BITS, 12], [WIDTH, 12], [FULL_ROUNDS, 10], [PARTIAL_ROUNDS, 10], [2 ** 30 - 1, 30]];
  const state = fields.flatMap(([value, width]) => [...value.toString(2).padStart(width, "0")].map(Number));
  const step = () => {
    const bit = [62, 51, 38, 23, 13, 0].reduce((sum, tap) => sum ^ state[tap], 0);
    state.shift();
    state.push(bit);
    return bit;
  };
  range(160, step);
  for (;;) {
    const [keep, bit] = [step(), step()];
    if (keep) yield bit;
  }
}

/** Round constants, three a round, and the Cauchy matrix. */
export function parameters() {
  const bits = grainBits();
  const integer = () => BigInt("0b" + range(FIELD_BITS, () => bits.next().value).join(""));
  const below = () => {
    for (;;) {
      const x = integer();
      if (x < MODULUS) return x;
    }
  };
  const constants = range(FULL_ROUNDS + PARTIAL_ROUNDS, () => range(WIDTH, below));
  const [xs, ys] = [range(WIDTH, integer), range(WIDTH, integer)];
  return { constants, matrix: xs.map((x) => ys.map((y) => invert(x + y))) };
}

const dot = (a, b) => reduce(a.reduce((sum, x, i) => sum + x * b[i], 0n));
const apply = (m, x) => m.map((row) => dot(row, x));
const product = (a, b) => a.map((row) => range(WIDTH, (j) => dot(row, b.map((r) => r[j]))));

/** Inverse by cofactors: taken cyclically, the other two rows and columns give every cofactor its sign. */
function inverse(m) {
  const cofactor = (i, j) => {
    const [i1, i2, j1, j2] = [(i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3];
    return m[i1][j1] * m[i2][j2] - m[i1][j2] * m[i2][j1];
  };
  const scale = invert(dot(m[0], range(WIDTH, (j) => reduce(cofactor(0, j)))));
  return range(WIDTH, (i) => range(WIDTH, (j) => reduce(cofactor(j, i) * scale)));
}

const lowerRight = (m) => [[1n, 0n, 0n], [0n, m[1][1], m[1][2]], [0n, m[2][1], m[2][2]]];

/**
 * The permutation's constants after everything was moved that can move (Poseidon paper, appendix B). A partial round
 * is `x0 = x0^5 + constant`, then the matrix `[[row], [column, identity]]`; `bridge` takes the place of the matrix in
 * the last full round before the partial ones, and `entry` is added after it.
 */
export function schedule({ constants, matrix }) {
  const half = FULL_ROUNDS / 2;
  const added = constants.slice(half, half + PARTIAL_ROUNDS).map((row) => [...row]);

  // Backwards: `M y + c = M (y + M^-1 c)`. The first element stays behind the S-box before, the others pass it.
  const moved = Array(PARTIAL_ROUNDS).fill(0n);
  const back = inverse(matrix);
  for (let i = PARTIAL_ROUNDS - 1; i > 0; i--) {
    const [first, ...rest] = apply(back, added[i]);
    moved[i - 1] = first;
    rest.forEach((c, j) => (added[i - 1][j + 1] = reduce(added[i - 1][j + 1] + c)));
  }

  // Backwards: a matrix is a sparse one times `diag(1, B)`, which passes the S-box and joins the matrix before.
  const partial = [];
  let current = matrix;
  let passed = matrix;
  for (const constant of moved.reverse()) {
    passed = lowerRight(current);
    const [row] = product([current[0], [0n, 0n, 0n], [0n, 0n, 0n]], inverse(passed));
    partial.unshift({ constant, row, column: [current[1][0], current[2][0]] });
    current = product(passed, matrix);
  }
  return {
    head: constants.slice(0, half),
    bridge: current,
    entry: apply(passed, added[0]),
    partial,
    tail: constants.slice(half + PARTIAL_ROUNDS),
    matrix,
  };
}
