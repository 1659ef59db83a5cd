// Runs one npm peer over pairs of documents: reads {peer, folder, pairs} from stdin, writes one line a pair.
const input = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const load = name => require(require.resolve(name, { paths: [input.folder] }));

async function schemas(pair) {
  const found = await load('json-schema-diff').diffSchemas({ sourceSchema: pair.old, destinationSchema: pair.new });
  return found.removalsFound ? 'no' : 'yes';
}

async function contracts(pair) {
  const spec = (content, location) => ({ content: JSON.stringify(content), location, format: 'openapi3' });
  const found = await load('openapi-diff').diffSpecs({
    sourceSpec: spec(pair.old, 'old.json'), destinationSpec: spec(pair.new, 'new.json'),
  });
  return found.breakingDifferencesFound ? 'breaking' : found.unclassifiedDifferences.length ? 'undecided' : 'compatible';
}

(async () => {
  for (const pair of input.pairs) {
    let said;
    const began = process.hrtime.bigint();
    try {
      const late = new Promise((_, fail) => setTimeout(() => fail(new Error('late')), 10000).unref());
      said = await Promise.race([(input.peer === 'json-schema-diff' ? schemas : contracts)(pair), late]);
    } catch (error) {
      said = 'refused';
    }
    console.log(JSON.stringify({ said, seconds: Number(process.hrtime.bigint() - began) / 1e9 }));
  }
  process.exit(0);
})();
