/** Tests that need a browser: run, or skipped with one line that says why, or (OPTC_REQUIRE=browser) failed. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { openBrowser, openPage } from '../../scripts/browser.mjs'

/** Asked once a test file. */
const opened: Browser | string = await openBrowser()

if (typeof opened === 'string') {
  if ((process.env.OPTC_REQUIRE ?? '').split(',').includes('browser')) {
    throw new Error(`OPTC_REQUIRE=browser, but: ${opened}`)
  }
  console.warn(`browser tests skipped: ${opened}`)
} else {
  afterAll(() => opened.close())
}

/** `describe`, skipped where there is no browser. */
export const describeBrowser: typeof describe.skip = typeof opened === 'string' ? describe.skip : describe

export interface PageOptions {
  /** The script, bundled as an application would. */
  readonly entry: string
  readonly policy?: string
  readonly files?: Readonly<Record<string, string>>
  /** Messages of its console that are as they should be. */
  readonly expected?: RegExp
}

/** A page for the tests of the `describe` that this is called in. Fails if its console had anything to say. */
export function usePage({ expected, ...options }: PageOptions): { readonly page: Page } {
  let all: Awaited<ReturnType<typeof openPage>> | null = null
  beforeAll(async () => {
    all = await openPage(opened as Browser, options)
  }, 120_000)
  afterAll(async () => {
    await all?.close()
    expect(all?.problems.filter((text) => !expected?.test(text))).toEqual([])
  })
  return {
    get page() {
      return all!.page
    }
  }
}
