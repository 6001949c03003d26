/** What a command of the command line is: it adds itself to the program and tells its exit code when it has run. Cold. */
import { type Command, InvalidArgumentError, Option } from 'commander';

/** Adds the command; `exit` is told the code that it ends with. */
export type AddCommand = (program: Command, exit: (code: number) => void) => void;

/** `--admin`: the gateway that is asked. */
export function adminOption(): Option {
  return optionalAdminOption().makeOptionMandatory();
}

/** The same where there is another way. */
export function optionalAdminOption(): Option {
  const about = 'the admin listener of the gateway: host:port or a URL';
  return new Option('--admin <address>', about).argParser((address: string) => {
    if (URL.canParse(address.includes('://') ? address : `http://${address}`)) return address;
    throw new InvalidArgumentError('It must be host:port or a URL.');
  });
}

export type Format = 'text' | 'json';

/** `--format`: for people or for programs. */
export function formatOption(): Option {
  return new Option('--format <format>', 'how to show it').choices(['text', 'json']).default('text');
}
