/** A command of the command line: it adds itself to the program and reports its exit code. Cold. */
import { type Command, InvalidArgumentError, Option } from 'commander';

/** Adds the command, which calls `exit` with its exit code. */
export type AddCommand = (program: Command, exit: (code: number) => void) => void;

/** `--admin`: the gateway to query. */
export function adminOption(): Option {
  return optionalAdminOption().makeOptionMandatory();
}

/** The same option for commands with an alternative. */
export function optionalAdminOption(): Option {
  const about = 'the admin listener of the gateway: host:port or a URL';
  return new Option('--admin <address>', about).argParser((address: string) => {
    if (namesGateway(address)) return address;
    throw new InvalidArgumentError('It must be host:port, such as 127.0.0.1:9090, or a URL.');
  });
}

/** A number alone would be read as an address, and a name alone as one with port 80. */
function namesGateway(address: string): boolean {
  if (address.includes('://')) return /^https?:/i.test(address) && URL.canParse(address);
  return /^(?:\[[^\]]+\]|[^:/\s]+):\d{1,5}\/?$/.test(address) && URL.canParse(`http://${address}`);
}

export type Format = 'text' | 'json';

/** `--format`: for people or for programs. */
export function formatOption(): Option {
  return new Option('--format <format>', 'how to show it').choices(['text', 'json']).default('text');
}
