'use strict';
/*
 * Flags that the engine is started with (docs/performance.md tells what each is worth).
 *
 * The young generation's halves stay at 8 MiB: left alone they grow to 16 MiB beneath reloads and never shrink, and no
 * request is the cheaper for it. The heap grows by half before it is looked through, not to four times what is in use.
 */
module.exports = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=8', '--heap-growing-percent=50'];
