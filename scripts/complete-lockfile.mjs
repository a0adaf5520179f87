// Adds lockfile entries for optional platform packages the registry at hand does not carry, so that `npm ci` accepts the lockfile.
// --check: exit 1 when entries are missing.
import { readFileSync, writeFileSync } from 'node:fs';

const check = process.argv.includes('--check');
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const P = lock.packages;
let n = 0;
const OS = {
  android: 'android',
  darwin: 'darwin',
  freebsd: 'freebsd',
  linux: 'linux',
  openharmony: 'openharmony',
  win32: 'win32',
  aix: 'aix',
  sunos: 'sunos',
  netbsd: 'netbsd',
  openbsd: 'openbsd',
  wasm32: null,
};
const find = (from, name) => {
  for (let d = from; ; ) {
    const k = `${d ? `${d}/` : ''}node_modules/${name}`;
    if (P[k]) return k;
    if (!d) return;
    const i = d.lastIndexOf('/node_modules/');
    d = i >= 0 ? d.slice(0, i) : d.startsWith('node_modules/') || d ? '' : d;
  }
};
for (const [from, pkg] of Object.entries({ ...P }))
  for (const [name, range] of Object.entries(pkg.optionalDependencies ?? {})) {
    if (find(from, name)) continue;
    const words = name.split(/[/-]/);
    const os = words.find((w) => OS[w]);
    const cpu = words.find((w) => /^(x64|arm64|arm|ia32|ppc64|riscv64|s390x|loong64|mips64el|wasm32)$/.test(w));
    if (!os && !cpu) {
      console.error('cannot derive platform of', name);
      process.exitCode = 1;
      continue;
    }
    P[`node_modules/${name}`] = {
      version: range.replace(/^[\^~=v]+/, ''),
      ...(cpu ? { cpu: [cpu] } : {}),
      ...(pkg.dev ? { dev: true } : {}),
      optional: true,
      ...(os ? { os: [OS[os]] } : {}),
      ...(/musl/.test(name) ? { libc: ['musl'] } : /gnu/.test(name) && os === 'linux' ? { libc: ['glibc'] } : {}),
    };
    n++;
  }
lock.packages = Object.fromEntries(Object.entries(P).sort(([a], [b]) => (a < b ? -1 : 1)));
if (check) {
  if (n) {
    console.error(`${n} entries missing: run npm run lockfile`);
    process.exit(1);
  }
} else if (n) {
  writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`);
  console.log('added', n);
}
