import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    // A test left alone by mistake would switch off its neighbours.
    allowOnly: false,
    testTimeout: 60_000,
    pool: 'forks',
    reporters: ['default', './tests/support/closing-line.ts'],
  },
});
