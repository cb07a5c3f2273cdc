// Generated from src/compiler/messages/*.md by `npm run generate`. DO NOT EDIT.
import { type Diagnostic, fill } from './diagnostics.js'
import type { Span } from './syntax/ast.js'

export interface Message {
  readonly code: string
  readonly name: string
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly hint: string
  readonly explanation: string
  readonly wrong: string
  readonly right: string
}

/** Every message, by code. */
export const messages: Readonly<Record<string, Message>> = {
  OPT1001: {"code":"OPT1001","name":"strangeCharacter","severity":"error","message":"`{found}` ({code}) means nothing here.","hint":"Take it out.","explanation":"","wrong":"optimizer SGD {\n  hyper learningRate as lr = 0.01 @\n  step(w, g) { w := w - lr * g }\n}\n","right":"optimizer SGD {\n  hyper learningRate as lr = 0.01\n  step(w, g) { w := w - lr * g }\n}\n"},
  OPT1002: {"code":"OPT1002","name":"unexpected","severity":"error","message":"Found {found}, but expected {expected}.","hint":"","explanation":"","wrong":"optimizer SGD {\n  step(w, g) { w := w - * g }\n}\n","right":"optimizer SGD {\n  step(w, g) { w := w - g }\n}\n"},
  OPT1003: {"code":"OPT1003","name":"openComment","severity":"error","message":"This comment never ends.","hint":"Close it with `*/`.","explanation":"","wrong":"optimizer SGD {\n  step(w, g) { w := w - g }\n}\n/* more\n","right":"optimizer SGD {\n  step(w, g) { w := w - g }\n}\n/* more */\n"},
  OPT1004: {"code":"OPT1004","name":"openText","severity":"error","message":"This text never ends.","hint":"Close it with `\"` on the same line.","explanation":"","wrong":"import { cosine } from \"std\n","right":"import { cosine } from \"std\"\n"},
  OPT1005: {"code":"OPT1005","name":"tooDeep","severity":"error","message":"Brackets are nested more than {limit} deep.","hint":"Name the inner values on lines of their own.","explanation":"","wrong":"","right":""},
  OPT1006: {"code":"OPT1006","name":"unknownOver","severity":"error","message":"There is nothing called `{found}` to range over.","hint":"Write `over layer`, `over model`, `over rows` or `over cols`.","explanation":"","wrong":"optimizer S {\n  step(w, g) { w := w - g * sum(g over layers) }\n}\n","right":"optimizer S {\n  step(w, g) { w := w - g * sum(g over layer) }\n}\n"},
  OPT1007: {"code":"OPT1007","name":"badRegex","severity":"error","message":"This regular expression can't be used: {why}.","hint":"","explanation":"","wrong":"","right":""},
  OPT1008: {"code":"OPT1008","name":"powerOfRoot","severity":"error","message":"It is not clear whether the root or what stands under it is raised to a power.","hint":"Write `(√x)²` or `√(x²)`.","explanation":"","wrong":"optimizer S {\n  step(w, g) { w := w - √g² }\n}\n","right":"optimizer S {\n  step(w, g) { w := w - √(g²) }\n}\n"},
  OPT1101: {"code":"OPT1101","name":"missingImport","severity":"error","message":"There is no file \"{from}\" to import from.","hint":"Write a path relative to this file, or \"std\" for the shipped library.","explanation":"","wrong":"","right":""},
  OPT1102: {"code":"OPT1102","name":"importCycle","severity":"error","message":"These files import each other in a circle: {cycle}.","hint":"Move what both need into a third file.","explanation":"","wrong":"","right":""},
  OPT1103: {"code":"OPT1103","name":"notExported","severity":"error","message":"\"{from}\" has nothing called `{name}`.","hint":"","explanation":"","wrong":"","right":""}
}

const make = (code: string, path: string, span: Span, values: Readonly<Record<string, string | number>> = {}): Diagnostic =>
  fill(messages[code]!, path, span, values)

/** A function a message: `problems.unknownName(path, span, { … })`. */
export const problems = {
  /** OPT1001: `{found}` ({code}) means nothing here. */
  strangeCharacter: (path: string, span: Span, values: { found: string | number, code: string | number }): Diagnostic => make('OPT1001', path, span, values),
  /** OPT1002: Found {found}, but expected {expected}. */
  unexpected: (path: string, span: Span, values: { found: string | number, expected: string | number }): Diagnostic => make('OPT1002', path, span, values),
  /** OPT1003: This comment never ends. */
  openComment: (path: string, span: Span): Diagnostic => make('OPT1003', path, span),
  /** OPT1004: This text never ends. */
  openText: (path: string, span: Span): Diagnostic => make('OPT1004', path, span),
  /** OPT1005: Brackets are nested more than {limit} deep. */
  tooDeep: (path: string, span: Span, values: { limit: string | number }): Diagnostic => make('OPT1005', path, span, values),
  /** OPT1006: There is nothing called `{found}` to range over. */
  unknownOver: (path: string, span: Span, values: { found: string | number }): Diagnostic => make('OPT1006', path, span, values),
  /** OPT1007: This regular expression can't be used: {why}. */
  badRegex: (path: string, span: Span, values: { why: string | number }): Diagnostic => make('OPT1007', path, span, values),
  /** OPT1008: It is not clear whether the root or what stands under it is raised to a power. */
  powerOfRoot: (path: string, span: Span): Diagnostic => make('OPT1008', path, span),
  /** OPT1101: There is no file "{from}" to import from. */
  missingImport: (path: string, span: Span, values: { from: string | number }): Diagnostic => make('OPT1101', path, span, values),
  /** OPT1102: These files import each other in a circle: {cycle}. */
  importCycle: (path: string, span: Span, values: { cycle: string | number }): Diagnostic => make('OPT1102', path, span, values),
  /** OPT1103: "{from}" has nothing called `{name}`. */
  notExported: (path: string, span: Span, values: { from: string | number, name: string | number }): Diagnostic => make('OPT1103', path, span, values)
}
