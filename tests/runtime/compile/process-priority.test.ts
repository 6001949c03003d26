/** Which processors a process may run on, as proc_pid_status(5) writes it. */
import { expect, test } from 'vitest';
import { processorsIn } from '../../../src/runtime/compile/process-priority.ts';

const status = (list: string): string =>
  `Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t${list}\nMems_allowed:\t1\n`;

test.each<[list: string, processors: number[]]>([
  ['0', [0]],
  ['0-3', [0, 1, 2, 3]],
  ['2,5-6,11', [2, 5, 6, 11]],
])('%s', (list, processors) => expect(processorsIn(status(list))).toEqual(processors));

test.each(['', 'Name:\tnode\n', status('')])('none are known: %j', (text) => expect(processorsIn(text)).toEqual([]));
