"""The relying party: what is said to the OpenID Provider and how its answers are judged.

``http.Provider`` is the whole of it for the rest of the gateway. Beneath it all is pure but ``wire``, which is the one
place that connects: ``settings`` is who we are, ``metadata`` and ``jwks`` are what the provider says of itself,
``authorization`` and ``logout`` are the URLs that a browser is sent to and what comes back, ``client_auth`` is how we
prove ourselves at the token endpoint, ``id_token`` and ``sign_in`` are who signed in; ``cached`` keeps documents.
"""
