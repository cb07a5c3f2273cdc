import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const page = readFileSync(join(import.meta.dirname, '..', '..', 'grammar', 'railroad.html'), 'utf8')

test('the page needs nothing from elsewhere, and runs nothing', () => {
  expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|\bon\w+=/i)
  const links = [...page.matchAll(/(?:href|src)="([^"]*)"/g)].map((m) => m[1]!)
  expect(links.filter((link) => !link.startsWith('#'))).toEqual(['optc.ebnf', 'optc.ebnf'])
  const places = new Set([...page.matchAll(/id="([^"]*)"/g)].map((m) => `#${m[1]}`))
  expect(links.filter((link) => link.startsWith('#') && !places.has(link))).toEqual([])
})

test('it draws the rules of the EBNF', () => {
  const ebnf = readFileSync(join(import.meta.dirname, '..', '..', 'grammar', 'optc.ebnf'), 'utf8')
  const rules = [...ebnf.matchAll(/^([a-z]\w*) +::=/gm)].map((m) => m[1])
  expect([...page.matchAll(/<h2 id="(\w+)">/g)].map((m) => m[1])).toEqual([...rules, 'tokens'])
  expect(page.match(/<svg/g)).toHaveLength(rules.length)
  expect(page).not.toContain('undefined')
})
