"""A small strict OpenID Connect provider over real HTTP, for tests. Whoever asks at its door is signed in at once."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "ml-connector", "a client's secret, long enough for HMAC"


class Provider:
    """What it says of the person, and what it does wrong."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.claims: dict[str, Any] = {"sub": "u-1", "email": "Olga@acme.test", "email_verified": True, "name": "Olga"}
        self.change: dict[str, Any] = {}
        """Over the claims of the token; None takes one out."""
        self.sign_with: Any = None
        self.algorithm = "RS256"
        self.issuer_said = ""
        self.codes: dict[str, dict[str, str]] = {}
        self.refused: list[str] = []
        self.port = 0

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent back to. Asserts what a client must send."""
        assert query["response_type"] == "code" and query["client_id"] == CLIENT_ID
        assert "openid" in query["scope"].split() and "email" in query["scope"].split()
        assert query["code_challenge_method"] == "S256" and len(query["code_challenge"]) == 43
        assert len(query["state"]) >= 16 and len(query["nonce"]) >= 16
        code = secrets.token_urlsafe(12)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state'], 'iss': self.issuer})}"

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        asked = self.codes.pop(form.get("code", ""), None)
        verifier = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        faults = {
            "code": asked is None,
            "secret": form.get("client_secret") != CLIENT_SECRET or form.get("client_id") != CLIENT_ID,
            "redirect_uri": asked is not None and form.get("redirect_uri") != asked["redirect_uri"],
            "verifier": asked is not None and verifier.decode().rstrip("=") != asked["code_challenge"],
        }
        self.refused += [name for name, wrong in faults.items() if wrong]
        if asked is None or any(faults.values()):
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"],
                  **self.claims, **self.change}  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        key = self.sign_with or (None if self.algorithm == "none" else self.key)
        signed = jwt.encode(claims, key, algorithm=self.algorithm, headers={"kid": "k1"})
        return {"access_token": "opaque", "token_type": "Bearer", "id_token": signed}

    def document(self, path: str) -> dict[str, Any] | None:
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer_said or self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        if path == "/keys":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
            return {"keys": [{**public, "kid": "k1", "use": "sig", "alg": "RS256"}]}
        return None


@contextmanager
def provider() -> Iterator[Provider]:
    made = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path == "/authorize":
                self.send_response(302)
                self.send_header("location", made.authorize(dict(parse_qsl(url.query))))
                self.send_header("content-length", "0")
                self.end_headers()
            else:
                self.answer(made.document(url.path), 404)

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
            self.answer(made.token({name: values[0] for name, values in form.items()}), 400)

        def answer(self, content: dict[str, Any] | None, otherwise: int) -> None:
            body = json.dumps(content or {"error": "invalid_grant"}).encode()
            self.send_response(200 if content else otherwise)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield made
        server.shutdown()
        thread.join()
