// The tus project's own server for Node, with its store in a folder.
//   node peer.mjs PORT FOLDER MODULES      where MODULES/node_modules has @tus/server and @tus/file-store
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [port, directory, modules] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${modules}/`));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { Server } = await load("@tus/server");
const { FileStore } = await load("@tus/file-store");

new Server({ path: "/files", datastore: new FileStore({ directory }) }).listen({ host: "127.0.0.1", port: Number(port) });
