/** `npm start`: the origin server, and a gateway in front of it that follows configs/simple.yaml. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { originServer } from '../origin-server/server.ts';

const PORT = 3003;
const root = fileURLToPath(new URL('../..', import.meta.url));
const config = process.argv[2] ?? 'configs/simple.yaml';

const origin = originServer();
origin.on('error', (error) => {
  console.error(`The origin server cannot have port ${PORT}: ${error.message}`);
  process.exit(1);
});
origin.listen(PORT, '127.0.0.1', () => {
  console.log(`origin server   http://127.0.0.1:${PORT}`);
  console.log('gateway         http://127.0.0.1:8080         try: curl -i http://127.0.0.1:8080/hello');
  console.log('admin           http://127.0.0.1:9090         try: curl http://127.0.0.1:9090/backends');
  console.log(`edit ${config} and save it: the change is live at once. Stop with Ctrl-C.\n`);
  const gateway = spawn(process.execPath, ['bin/prozy.cjs', '--config', config], { cwd: root, stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => gateway.kill(signal));
  gateway.on('exit', (code) => process.exit(code ?? 1));
});
