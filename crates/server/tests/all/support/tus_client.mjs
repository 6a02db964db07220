// Uploads a file with tus-js-client, as any page or script would, and prints how often it had to go on.
//   node tus_client.mjs MODULES ENDPOINT FILE TOKEN METADATA-JSON
import { createReadStream, statSync } from "node:fs";
import { createRequire } from "node:module";

const [modules, endpoint, file, token, metadata] = process.argv.slice(2);
const { Upload } = createRequire(`${modules}/`)("tus-js-client");

let retries = 0;
const upload = new Upload(createReadStream(file), {
  endpoint,
  uploadSize: statSync(file).size,
  metadata: JSON.parse(metadata),
  headers: { Authorization: `Bearer ${token}` },
  retryDelays: Array(30).fill(20),
  onShouldRetry: () => {
    retries += 1;
    return true;
  },
  onError: (error) => {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess: () => {
    console.log(JSON.stringify({ retries, url: upload.url }));
    process.exit(0);
  },
});
upload.start();
