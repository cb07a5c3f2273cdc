import { defineConfig } from 'vitest/config'
import { softwareGpuEnvironment } from './scripts/software-gpu.mjs'

// Before the forks start: they inherit it, and the dynamic loader reads it at process start only.
Object.assign(process.env, softwareGpuEnvironment())

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    setupFiles: ['test/support/seed.ts'],
    testTimeout: 60_000
  }
})
