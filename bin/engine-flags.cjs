'use strict';
/*
 * Flags that the engine is started with.
 *
 * The young generation's halves stay at 8 MiB: left alone they grow to 16 MiB and more beneath reloads and never shrink,
 * and no request is the cheaper for it (docs/performance.md).
 */
module.exports = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=8'];
