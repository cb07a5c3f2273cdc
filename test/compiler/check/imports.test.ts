import { cases } from './cases.js'
import { step } from './support.js'

const using = (names: string, from: string, body: string, head = ''): string =>
  `import { ${names} } from "${from}"\n\n${step(body, head)}`
const plain = 'w := w - lr * g'

cases({
  'from std': using('clipByGlobalNorm, cosine', 'std', 'w := w - lr * cosine() * g', 'use clipByGlobalNorm(1)'),
  'never used': using('clipByGlobalNorm, cosine', 'std', plain, 'use clipByGlobalNorm(1)'),
  'a name that the file does not declare': using('clipByNorm', 'std', plain, 'use clipByNorm(1)'),
  'a file that is not there': using('half', './none.opt', 'w := w - lr * half(g)'),
  'one name twice': using('cosine, cosine', 'std', 'w := w - lr * cosine() * g'),
  'a name that the file declares too': `${using('cosine', 'std', 'w := w - lr * cosine() * g')}\nfn cosine(x) = x\n`,
  'an optimizer': {
    source: using('Other', './b.opt', 'w := w - lr * Other(g)'),
    files: { './b.opt': step(plain).replace('Test', 'Other') }
  },
  'a function that is wrong in itself is told in its own file, once': {
    source: using('bad', './b.opt', 'w := w - lr * bad(g) * bad(w)'),
    files: { './b.opt': 'fn bad(x) = x * yy\n' }
  },
  'a function that this call does not suit is told here': {
    source: using('scaled', './b.opt', 'w := w - lr * scaled(lr) * g'),
    files: { './b.opt': 'fn scaled(x) = x / ‖x‖\n' }
  },
  'a function that calls another of its file': {
    source: using('quarter', './b.opt', 'w := w - lr * quarter(g)'),
    files: { './b.opt': 'fn quarter(x) = half(half(x))\nfn half(x) = x / 2\n' }
  },
  'a name of the other file that was not imported': {
    source: using('quarter', './b.opt', 'w := w - lr * quarter(half(g))'),
    files: { './b.opt': 'fn quarter(x) = half(half(x))\nfn half(x) = x / 2\n' }
  },
  'a file that imports from another': {
    source: using('eighth', './b.opt', 'w := w - lr * eighth(g)'),
    files: {
      './b.opt': 'import { half } from "./c.opt"\nfn eighth(x) = half(half(half(x)))\n',
      './c.opt': 'fn half(x) = x / 2\n'
    }
  },
  'a transform that needs no argument, used with one': using(
    'clipByValue',
    'std',
    plain,
    'use clipByValue(limit = 1, most = 2)'
  ),
  'a transform without what it needs': using('clipByGlobalNorm', 'std', plain, 'use clipByGlobalNorm()'),
  'a bool for a bound': using('clipByGlobalNorm', 'std', plain, 'use clipByGlobalNorm(true)')
})
