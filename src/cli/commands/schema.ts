/** `prozy schema`: the JSON Schema of config files, for editors. Cold. */
import type { AddCommand } from './command.ts';

export const schemaCommand: AddCommand = (program) => {
  program
    .command('schema')
    .description('print the JSON Schema of config files, for editors')
    .action(async () => {
      const { editorSchema } = await import('../../config/editor-schema.ts');
      const { schema } = await import('../../config/schema.gen.ts');
      process.stdout.write(`${JSON.stringify(editorSchema(schema), null, 2)}\n`);
    });
};
