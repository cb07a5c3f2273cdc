// src/testing/properties.ts → docs/testing.md: what `optc test` holds an optimizer to, from the table that it runs.
import { importBundled } from '../import-bundled.mjs'

export async function files() {
  const { PROPERTIES } = await importBundled("export { PROPERTIES } from './src/testing/properties.js'")
  const rows = PROPERTIES.map(({ name, says }) => `| ${name} | ${says} |`)
  const text = `<!-- Generated from src/testing/properties.ts by \`npm run generate\`. DO NOT EDIT. -->
# Testing an optimizer

\`\`\`sh
npx optc test optimizers/lamb.opt                                  # on every backend that the project has
npx optc test optimizers/*.opt --backend cpu,webgpu --runs 100     # 20 cases a property and backend by default
\`\`\`

says in a line a property whether your optimizer is compiled right. Cases are random models of a few layers, with weights,
gradients, hyperparameters and masks; \`--seed\` draws others. Backends: \`cpu\` (WebAssembly), \`cpu-js\` (the same kernels in
JavaScript) and \`ops\` (TensorFlow.js operations) wherever @tensorflow/tfjs is; \`wasm\`, \`webgpu\` (with npm's \`webgpu\`) and
\`tensorflow\` where the project has their packages. Of those that it can't have, it says why. Exit status 1: a property failed;
2: the call was wrong. \`--json\` prints one document.

| property | |
|---|---|
${rows.join('\n')}

*To the bit* means equal float32 numbers; *the bound* is the derived one of [numerics.md](numerics.md). A property that says
nothing of an optimizer (layers that are meant to know of each other are not independent) is printed with the reason. Where
more than half of the cases can't be determined, because the formula is NaN or infinite there, or rounding decides a comparison,
\`reference\` can't be decided: it is no pass, and the first such formula is named. What is told alike of several backends is
told once.

At the end it minimises a quadratic and Rosenbrock's valley, with the default hyperparameters, then with other rates, and
says in how many steps it got there, or that it did not. That is no failure: it is your formula.

## Laws of your own

What a program [claims](language.md#laws), \`law scaleFree: g -> 8 * g, m -> 8 * m\`, is one property more, called \`law scaleFree\`. It
is tried a step at a time, on cases for which it claims something:

- in the reference, in float64: the step of what the law makes of its input, and what the law makes of the step's results, must
  agree within what float64 can lose on the way to each, some 1e-15. So it is the formula that is judged, and a claim that is false
  by one ε is told;
- then for the compiled class on each backend: it takes the step from what the law makes of what the first training held, and what
  it ends with must agree with the law within the bounds of both steps. So what is true in mathematics is never refused for
  rounding.

Numbers that can't be determined are left out, as everywhere; where more than half of the cases have more than 1 in 100 of these,
or nothing is claimed in them, the law fails. A claim that is false is told with both trainings. This one forgets that ε is
added to something of the gradient's size:

\`\`\`
step 1, dense/kernel, weight is -0.000999999988 with g -> 8 * g, m -> 8 * m, v -> 64 * v, but must be -0.0009999999 ± 2.7196127e-15

The simplest case found (10 simplifications):
  hyperparameters: learningRate 0.001, beta1 0.9, beta2 0.999, epsilon 1e-7
  layer dense/kernel [1]
    weight 0
    gradient of step 1: 1
  steps: 1

                                  as it is       replaced         by the law
     g                            1              8
     m := β1 * m + (1 - β1) * g   0.1            0.8              0.8
     v := β2 * v + (1 - β2) * g²  0.001          0.064            0.064
     m̂ = m / (1 - β1^t)           1              8
     v̂ = v / (1 - β2^t)           1              64
  →  w := w - lr * m̂ / (√v̂ + ε)   -0.0009999999  -0.000999999988  -0.0009999999

Again: optc test adam.opt --seed 1 --runs 1
\`\`\`

## At the ends of float32

| backend | subnormal numbers | squares beyond float32 | infinities and NaN |
|---|---|---|---|
| cpu, cpu-js, wasm; ops on these | kept | norms are summed in float64 on cpu; elsewhere they overflow as float32 does | are shown where the formula carries them |
| webgpu, webgl | may count as 0 | a norm may be 0 or infinite | anything may happen |
| tensorflow | may count as 0 | a norm may be 0 or infinite | anything may happen |

What is not promised is not determined: the bound is infinite there.

## A failure

The case is made as small as possible; then each formula of the program is printed with its value in the reference and in
the kernel, and the first that differs is marked. A kernel keeps its values to itself, so each is read from a kernel that was
compiled to keep that value besides, and run on the same case. This is a momentum whose plus had become a minus:

\`\`\`
step 1, dense/kernel, weight is 0.00499999989, but must be -0.005 ± 5.960476e-10 (and 1 more)

The simplest case found (10 simplifications):
  hyperparameters: learningRate 0.01, momentum 0.9
  layer dense/kernel [1]
    weight 0
    gradient of step 1: 1
  steps: 1

     formula                                       reference  kernel
  →  v := μ * v - (if matrix then g else 0.5 * g)  0.5        -0.5    off by 1, bound 0; the first that differs
     w := w - lr * v                               -0.005     0.005   off by 0.01, bound 5.960476e-10

  Each value of the kernel is read from a kernel that was compiled to keep it besides.

Again: optc test momentum.opt --seed 1 --runs 1
\`\`\`

## In your own tests

\`\`\`ts
import { describeOptimizer } from 'optc-lang/testing'
import { LAMB } from '../optimizers/lamb.js'

describeOptimizer(LAMB, new URL('../optimizers/lamb.opt', import.meta.url))
\`\`\`

makes a test of each property, for the class that you ship against the formula that you wrote, on the backend that is current
when the tests run. A compiled class does not hold its source, so the second argument says where it is: a URL, or the text.
\`describe\` and \`test\` are globals (jest, vitest with \`globals\`), or given: \`describeOptimizer(LAMB, url, { describe, test })\` with
those of \`vitest\` or \`node:test\`. \`seed\` and \`runs\` are options too. No test runner is imported.

\`optc-lang/testing\` also exports the reference interpreter (\`reference\`, \`trajectory\`), \`subjectOf\`, which compiles a text
and loads the class, and \`verify\`, which tries the properties and returns what became of each.
`
  return [{ path: 'docs/testing.md', text }]
}
