/** `prozy trust`: prints the root of a gateway's internal issuer and how to install it; it installs nothing. Cold. */
import { ask } from '../ask.ts';
import { EXIT } from '../exit-codes.ts';
import { type AddCommand, adminOption } from './command.ts';

interface TrustFlags {
  readonly admin: string;
  readonly pem?: true;
}

/** The admin page defines this form; tests keep the two in step. */
interface Root {
  readonly certificate: string;
  readonly subject: string;
  readonly fingerprint: string;
  readonly not_after: string;
}

export const trustCommand: AddCommand = (program, exit) => {
  program
    .command('trust')
    .description("show the root of a gateway's internal issuer, and how to make a machine trust it")
    .option('--pem', 'only the certificate')
    .addOption(adminOption())
    .addHelpText(
      'after',
      '\nIt changes nothing.\n\nExit codes: 0 done, 1 no answer or no internal issuer, 2 wrong usage.',
    )
    .action(async (flags: TrustFlags) => exit(await trust(flags)));
};

async function trust({ admin, pem }: TrustFlags): Promise<number> {
  const answer = await ask(admin, '/root-certificate');
  if (answer === null) return EXIT.problems;
  if (answer.status !== 200) {
    const { detail = `${admin} answered with ${answer.status}` } = (answer.body ?? {}) as { detail?: string };
    process.stderr.write(`prozy: ${detail}\n`);
    return EXIT.problems;
  }
  const root = answer.body as Root;
  process.stdout.write(pem === true ? root.certificate : instructions(root, admin));
  return EXIT.ok;
}

function instructions({ certificate, subject, fingerprint, not_after: until }: Root, admin: string): string {
  return `${subject}, until ${until.slice(0, 10)}
SHA-256 ${fingerprint}

${certificate}
A machine that trusts it trusts every certificate that this gateway issues. Save it:

  prozy trust --pem --admin ${admin} > prozy-root.crt

and install it:

  Debian, Ubuntu   sudo cp prozy-root.crt /usr/local/share/ca-certificates/ && sudo update-ca-certificates
  Fedora, RHEL     sudo cp prozy-root.crt /etc/pki/ca-trust/source/anchors/ && sudo update-ca-trust
  macOS            sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain prozy-root.crt
  Windows          certutil -addstore -f ROOT prozy-root.crt
  Firefox          Settings, Privacy & Security, View Certificates, Authorities, Import
  curl             curl --cacert prozy-root.crt https://…
  Node             NODE_EXTRA_CA_CERTS=prozy-root.crt node …
`;
}
