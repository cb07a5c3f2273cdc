// optimizers/std.opt → src/compiler/std.generated.ts: the shipped library as text, so that the compiler needs no file system.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const file = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'optimizers', 'std.opt')

export function files() {
  const text = existsSync(file) ? readFileSync(file, 'utf8').replaceAll('\r\n', '\n') : ''
  return [
    {
      path: 'src/compiler/std.generated.ts',
      text: `// Generated from optimizers/std.opt by \`npm run generate\`. DO NOT EDIT.\nexport const std: string = ${JSON.stringify(text)}\n`
    }
  ]
}
