// Starts the Slack of npm's `emulate` and has it send its events to $EVENTS, which its command line cannot be told.
// Usage: launch.mjs FOLDER_OF_NODE_MODULES SEED PORT
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [modules, seed, port] = process.argv.slice(2);
const dist = path.join(modules, "emulate", "dist");
const holdsRegistry = (name) =>
  name.startsWith("chunk-") && name.endsWith(".js") && /\bSERVICE_REGISTRY,/.test(fs.readFileSync(path.join(dist, name), "utf8"));
const registry = (await import(pathToFileURL(path.join(dist, fs.readdirSync(dist).find(holdsRegistry))))).SERVICE_REGISTRY;

const { load } = registry.slack;
registry.slack.load = async (...given) => {
  const loaded = await load.call(registry.slack, ...given);
  const { register } = loaded.plugin;
  loaded.plugin.register = (app, store, webhooks, ...rest) => {
    webhooks.register({ url: process.env.EVENTS, events: ["*"], active: true, owner: "slack" });
    return register.call(loaded.plugin, app, store, webhooks, ...rest);
  };
  return loaded;
};
process.argv = [process.argv[0], "emulate", "start", "--service", "slack", "--port", port, "--seed", seed];
await import(pathToFileURL(path.join(dist, "index.js")));
