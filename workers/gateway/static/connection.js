// The way to the gateway: requests, the stream of messages, and the token where one is asked for.

const RETRY_MS = [300, 600, 1200, 2500, 5000];

export async function ask(path, options = {}) {
  const answer = await fetch(path, { credentials: 'same-origin', ...options });
  if (answer.status === 401 && path !== 'api/session') {
    await signIn();
    return ask(path, options);
  }
  const content = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw Object.assign(new Error(content.error), { content });
  return content;
}

export function put(path, content) {
  const headers = { 'content-type': 'application/json' };
  return ask(path, { method: 'PUT', headers, body: JSON.stringify(content) });
}

let signingIn = null;

function signIn() {
  signingIn ??= new Promise((resolve) => {
    const dialog = document.getElementById('sign-in');
    const token = document.getElementById('token');
    const error = document.getElementById('sign-in-error');
    dialog.addEventListener('cancel', (event) => event.preventDefault());
    dialog.querySelector('form').onsubmit = async (event) => {
      event.preventDefault();
      try {
        await ask('api/session', { method: 'POST', headers: { authorization: `Bearer ${token.value}` } });
        dialog.close();
        signingIn = null;
        resolve();
      } catch (failure) {
        error.textContent = failure.message;
        token.select();
      }
    };
    dialog.showModal();
  });
  return signingIn;
}

// Calls `onOpen` whenever the stream begins (again), `onMessage(kind, message)` for each message, and
// `onLost` when it ends.
export function listen({ onOpen, onMessage, onLost }) {
  let tries = 0;
  const connect = async () => {
    try {
      await ask('api/config'); // asks for the token, which a WebSocket cannot
    } catch {
      retry();
      return;
    }
    const url = new URL('api/stream?kinds=emotion,transcript,health,face', document.baseURI);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url);
    socket.onopen = () => {
      tries = 0;
      onOpen();
    };
    socket.onmessage = (event) => {
      const { topic, message } = JSON.parse(event.data);
      onMessage(topic.split('.', 1)[0], message);
    };
    socket.onclose = retry;
  };
  const retry = () => {
    onLost();
    setTimeout(connect, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
  };
  connect();
}
