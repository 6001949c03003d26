/** `prozy drain`, `disable` and `enable`: set an endpoint's admin state. Cold. */
import { ask } from '../ask.ts';
import { EXIT } from '../exit-codes.ts';
import { type AddCommand, adminOption } from './command.ts';

const ADMIN_STATES = {
  drain: 'give an endpoint nothing new, but for clients that a sticky cookie sends there',
  disable: 'give an endpoint nothing new, and close its idle connections',
  enable: 'let an endpoint take requests again',
} as const;

export const adminStateCommands: AddCommand = (program, exit) => {
  for (const [word, description] of Object.entries(ADMIN_STATES)) {
    program
      .command(word)
      .description(description)
      .argument('<pool>')
      .argument('<endpoint>', 'its address, as the config has it')
      .addOption(adminOption())
      .action(async (pool: string, endpoint: string, { admin }: { admin: string }) =>
        exit(await setAdminState(word, pool, endpoint, admin)),
      );
  }
};

async function setAdminState(word: string, pool: string, endpoint: string, admin: string): Promise<number> {
  const path = `/backends/${encodeURIComponent(pool)}/${encodeURIComponent(endpoint)}/${word}`;
  const answer = await ask(admin, path, { method: 'POST' });
  if (answer === null) return EXIT.problems;
  if (answer.status !== 200) {
    process.stderr.write(`there is no endpoint ${endpoint} in a pool ${pool}\n`);
    return EXIT.problems;
  }
  // The admin page defines this form; tests keep the two in step.
  const { state, active } = answer.body as { state: string; active: number };
  process.stdout.write(`${pool} ${endpoint}: ${state}, ${active} under way\n`);
  return EXIT.ok;
}
