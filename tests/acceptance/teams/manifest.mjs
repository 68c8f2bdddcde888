// Checks the manifest in an app package against Microsoft's own schema of its version.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const manifest = JSON.parse(execFileSync("python3", ["-c",
  "import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).read('manifest.json').decode())", process.argv[2]]));
const root = dirname(require.resolve("@microsoft/app-manifest/package.json"));
const file = process.env.MANIFEST_SCHEMA ?? join(root, "build", "json-schemas", "teams", `v${manifest.manifestVersion}`, "MicrosoftTeams.schema.json");
const schema = JSON.parse(readFileSync(file, "utf8"));
const Ajv = (require("ajv-draft-04")).default;
const ajv = new Ajv({ strict: false, allErrors: true });
require("ajv-formats").default(ajv);
const valid = ajv.validate(schema, manifest);
console.log(valid ? `ok      the manifest is valid against Microsoft's schema ${manifest.manifestVersion}`
  : `FAILED  the manifest: ${ajv.errorsText()}`);
process.exit(valid ? 0 : 1);
