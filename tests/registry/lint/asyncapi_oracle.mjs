// Answers each line, an AsyncAPI document as JSON, by a line: the errors that @asyncapi/parser finds, as JSON.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';

const require = createRequire(process.argv[2] + '/');
const { Parser } = require('@asyncapi/parser');
const parser = new Parser({ __unstable: { resolver: { cache: false, resolvers: [] } } });
for await (const line of createInterface({ input: process.stdin })) {
  let told;
  try {
    const found = await parser.validate(JSON.parse(line));
    told = found.filter((one) => one.severity === 0).map((one) => `${one.code} at /${one.path.join('/')}`);
  } catch (error) {
    told = [`crash: ${error}`];
  }
  process.stdout.write(JSON.stringify(told) + '\n');
}
