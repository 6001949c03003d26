/** Swaps the versions of a volume one after the other, in a thread of its own, so that others read in the midst of it. */
import { parentPort, workerData } from 'node:worker_threads';
import { KubeletVolume, type Payload } from './kubelet-volume.ts';

// Given by the test that starts the thread.
const { directory, payloads, linksFirst } = workerData as {
  directory: string;
  payloads: readonly Payload[];
  linksFirst: boolean;
};
const volume = new KubeletVolume(directory);
for (const payload of payloads) volume.write(payload, { linksFirst });
parentPort?.postMessage('done');
