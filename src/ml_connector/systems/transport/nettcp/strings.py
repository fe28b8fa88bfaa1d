"""The static dictionary of WCF's binary XML: the words that a document names by number instead of spelling them.

[MC-NBFS] numbers 487 words; a document refers to the n-th, counted from 0, as 2n. Odd numbers belong to the table of
the session, whose words travel in the session itself.
"""

from __future__ import annotations

import re

_BASES = {
    "soap": "http://www.w3.org/2003/05/soap-envelope",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsa4": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "rm": "http://schemas.xmlsoap.org/ws/2005/02/rm",
    "sc": "http://schemas.xmlsoap.org/ws/2005/02/sc",
    "sc4": "http://schemas.xmlsoap.org/ws/2004/04/security",
    "trust": "http://schemas.xmlsoap.org/ws/2005/02/trust",
    "coor": "http://schemas.xmlsoap.org/ws/2004/10/wscoor",
    "at": "http://schemas.xmlsoap.org/ws/2004/10/wsat",
    "xs": "http://schemas.xmlsoap.org",
    "sig": "http://www.w3.org/2000/09/xmldsig",
    "more": "http://www.w3.org/2001/04/xmldsig-more",
    "enc": "http://www.w3.org/2001/04/xmlenc",
    "c14n": "http://www.w3.org/2001/10/xml-exc-c14n",
    "w3": "http://www.w3.org",
    "kerb": "http://docs.oasis-open.org/wss/oasis-wss-kerberos-token-profile-1.1",
    "saml0": "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.0",
    "saml1": "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1",
    "msg0": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0",
    "msg1": "http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1",
    "wss4": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss",
    "wss": "http://docs.oasis-open.org/wss",
    "msws": "http://schemas.microsoft.com/ws",
    "msnet": "http://schemas.microsoft.com/net",
    "ms": "http://schemas.microsoft.com",
    "samlcm": "urn:oasis:names:tc:SAML:1.0",
    "samlid": "urn:oasis:names:tc:SAML:1.1:nameid-format",
}
"""What `~name` at the beginning of a word below stands for."""

_GROUPS = (
    # 0: SOAP 1.2, WS-Addressing, reliable messaging
    """
    mustUnderstand Envelope ~soap ~wsa Header Action To Body Algorithm RelatesTo ~wsa/anonymous URI Reference
    MessageID Id Identifier ~rm Transforms Transform DigestMethod DigestValue Address ReplyTo
    SequenceAcknowledgement AcknowledgementRange Upper Lower BufferRemaining ~msws/2006/05/rm
    ~rm/SequenceAcknowledgement
    """,
    # 30: WS-Security, signatures, encryption
    """
    SecurityTokenReference Sequence MessageNumber ~sig# ~sig#enveloped-signature KeyInfo
    ~wss4-wssecurity-secext-1.0.xsd ~enc# ~sc DerivedKeyToken Nonce Signature SignedInfo CanonicalizationMethod
    SignatureMethod SignatureValue DataReference EncryptedData EncryptionMethod CipherData CipherValue
    ~wss4-wssecurity-utility-1.0.xsd Security Timestamp Created Expires Length ReferenceList ValueType Type
    EncryptedHeader ~wss/oasis-wss-wssecurity-secext-1.1.xsd RequestSecurityTokenResponseCollection ~trust
    ~trust#BinarySecret ~msws/2006/02/transactions
    """,
    # 66: SOAP faults, more of WS-Addressing
    """
    s Fault MustUnderstand role relay Code Reason Text Node Role Detail Value Subcode NotUnderstood qname ""
    From FaultTo EndpointReference PortType ServiceName PortName ReferenceProperties RelationshipType Reply a
    ~xs/ws/2006/02/addressingidentity Identity Spn Upn Rsa Dns X509v3Certificate ~wsa/fault ReferenceParameters
    IsReferenceParameter ~wsa/reply ~wsa/none Metadata ~wsa4 ~wsa4/role/anonymous ~wsa4/fault
    ~xs/ws/2004/06/addressingex RedirectTo Via
    """,
    # 111: secure conversation, algorithms
    """
    ~c14n# PrefixList InclusiveNamespaces ec SecurityContextToken Generation Label Offset Properties Cookie wsc
    ~xs/ws/2004/04/sc ~sc4/sc/dk ~sc4/sc/sct ~sc4/trust/RST/SCT ~sc4/trust/RSTR/SCT RenewNeeded BadContextToken
    c ~sc/dk ~sc/sct ~trust/RST/SCT ~trust/RSTR/SCT ~trust/RST/SCT/Renew ~trust/RSTR/SCT/Renew
    ~trust/RST/SCT/Cancel ~trust/RSTR/SCT/Cancel ~enc#aes128-cbc ~enc#kw-aes128 ~enc#aes192-cbc ~enc#kw-aes192
    ~enc#aes256-cbc ~enc#kw-aes256 ~enc#des-cbc ~sig#dsa-sha1 ~c14n#WithComments ~sig#hmac-sha1
    ~more#hmac-sha256 ~sc/dk/p_sha1 ~enc#ripemd160 ~enc#rsa-oaep-mgf1p ~sig#rsa-sha1 ~more#rsa-sha256
    ~enc#rsa-1_5 ~sig#sha1 ~enc#sha256 ~enc#sha512 ~enc#tripledes-cbc ~enc#kw-tripledes
    ~xs/2005/02/trust/tlsnego#TLS_Wrap ~xs/2005/02/trust/spnego#GSS_Wrap
    """,
    # 162: security tokens
    """
    ~msws/2006/05/security dnse o Password PasswordText Username UsernameToken BinarySecurityToken EncodingType
    KeyIdentifier ~msg0#Base64Binary ~msg0#HexBinary ~msg0#Text
    ~wss4-x509-token-profile-1.0#X509SubjectKeyIdentifier ~kerb#GSS_Kerberosv5_AP_REQ
    ~kerb#GSS_Kerberosv5_AP_REQ1510 ~saml0#SAMLAssertionID Assertion ~samlcm:assertion
    ~wss/oasis-wss-rel-token-profile-1.0.pdf#license FailedAuthentication InvalidSecurityToken InvalidSecurity k
    SignatureConfirmation TokenType ~msg1#ThumbprintSHA1 ~msg1#EncryptedKey ~msg1#EncryptedKeySHA1
    ~saml1#SAMLV1.1 ~saml1#SAMLV2.0 ~saml1#SAMLID AUTH-HASH
    """,
    # 195: WS-Trust
    """
    RequestSecurityTokenResponse KeySize RequestedTokenReference AppliesTo Authenticator CombinedHash
    BinaryExchange Lifetime RequestedSecurityToken Entropy RequestedProofToken ComputedKey RequestSecurityToken
    RequestType Context BinarySecret ~trust/spnego ~trust/tlsnego wst ~xs/ws/2004/04/trust ~sc4/trust/RST/Issue
    ~sc4/trust/RSTR/Issue ~sc4/trust/Issue ~sc4/trust/CK/PSHA1 ~sc4/trust/SymmetricKey ~sc4/trust/Nonce KeyType
    ~xs/ws/2004/04/trust/SymmetricKey ~xs/ws/2004/04/trust/PublicKey Claims InvalidRequest RequestFailed
    SignWith EncryptWith EncryptionAlgorithm CanonicalizationAlgorithm ComputedKeyAlgorithm UseKey
    ~msnet/2004/07/secext/WS-SPNego ~msnet/2004/07/secext/TLSNego t ~trust/RST/Issue ~trust/RSTR/Issue
    ~trust/Issue ~trust/SymmetricKey ~trust/CK/PSHA1 ~trust/Nonce RenewTarget CancelTarget
    RequestedTokenCancelled RequestedAttachedReference RequestedUnattachedReference IssuedTokens ~trust/Renew
    ~trust/Cancel ~trust/PublicKey
    """,
    # 251: SAML
    """
    Access AccessDecision Advice AssertionID AssertionIDReference Attribute AttributeName AttributeNamespace
    AttributeStatement AttributeValue Audience AudienceRestrictionCondition AuthenticationInstant
    AuthenticationMethod AuthenticationStatement AuthorityBinding AuthorityKind AuthorizationDecisionStatement
    Binding Condition Conditions Decision DoNotCacheCondition Evidence IssueInstant Issuer Location MajorVersion
    MinorVersion NameIdentifier Format NameQualifier Namespace NotBefore NotOnOrAfter saml Statement Subject
    SubjectConfirmation SubjectConfirmationData ConfirmationMethod ~samlcm:cm:holder-of-key
    ~samlcm:cm:sender-vouches SubjectLocality DNSAddress IPAddress SubjectStatement ~samlcm:am:unspecified xmlns
    Resource UserName ~samlid:WindowsDomainQualifiedName EmailName ~samlid:emailAddress
    """,
    # 305: keys
    """
    u ChannelInstance ~msws/2005/02/duplex Encoding MimeType CarriedKeyName Recipient EncryptedKey KeyReference
    e ~enc#Element ~enc#Content KeyName MgmtData KeyValue RSAKeyValue Modulus Exponent X509Data X509IssuerSerial
    X509IssuerName X509SerialNumber X509Certificate
    """,
    # 328: reliable messaging, more of it
    """
    AckRequested ~rm/AckRequested AcksTo Accept CreateSequence ~rm/CreateSequence CreateSequenceRefused
    CreateSequenceResponse ~rm/CreateSequenceResponse FaultCode InvalidAcknowledgement LastMessage
    ~rm/LastMessage LastMessageNumberExceeded MessageNumberRollover Nack netrm Offer r SequenceFault
    SequenceTerminated TerminateSequence ~rm/TerminateSequence UnknownSequence
    """,
    # 352: transactions
    """
    ~msws/2006/02/tx/oletx oletx OleTxTransaction PropagationToken ~coor wscoor CreateCoordinationContext
    CreateCoordinationContextResponse CoordinationContext CurrentContext CoordinationType RegistrationService
    Register RegisterResponse ProtocolIdentifier CoordinatorProtocolService ParticipantProtocolService
    ~coor/CreateCoordinationContext ~coor/CreateCoordinationContextResponse ~coor/Register
    ~coor/RegisterResponse ~coor/fault ActivationCoordinatorPortType RegistrationCoordinatorPortType
    InvalidState InvalidProtocol InvalidParameters NoActivity ContextRefused AlreadyRegistered ~at wsat
    ~at/Completion ~at/Durable2PC ~at/Volatile2PC Prepare Prepared ReadOnly Commit Rollback Committed Aborted
    Replay ~at/Commit ~at/Rollback ~at/Committed ~at/Aborted ~at/Prepare ~at/Prepared ~at/ReadOnly ~at/Replay
    ~at/fault CompletionCoordinatorPortType CompletionParticipantPortType CoordinatorPortType
    ParticipantPortType InconsistentInternalState mstx Enlistment protocol LocalTransactionId IsolationLevel
    IsolationFlags Description Loopback RegisterInfo ContextId TokenId AccessDenied InvalidPolicy
    CoordinatorRegistrationFailed TooManyEnlistments Disabled
    """,
    # 425: diagnostics, peers, routing
    """
    ActivityId ~ms/2004/09/ServiceModel/Diagnostics ~kerb#Kerberosv5APREQSHA1 ~xs/ws/2002/12/policy FloodMessage
    LinkUtility Hops ~msnet/2006/05/peer/HopCount PeerVia ~msnet/2006/05/peer PeerFlooder PeerTo
    ~msws/2005/05/routing PacketRoutable ~msws/2005/05/addressing/none ~msws/2005/05/envelope/none
    """,
    # 441: XML Schema and its types
    """
    ~w3/2001/XMLSchema-instance ~w3/2001/XMLSchema nil type char boolean byte unsignedByte short unsignedShort
    int unsignedInt long unsignedLong float double decimal dateTime string base64Binary anyType duration guid
    anyURI QName time date hexBinary gYearMonth gYear gMonthDay gDay gMonth integer positiveInteger
    negativeInteger nonPositiveInteger nonNegativeInteger normalizedString
    """,
    # 480: SOAP 1.1
    """
    ConnectionLimitReached ~xs/soap/envelope/ actor faultcode faultstring faultactor detail
    """,
)
"""The words in the order of their numbers; the comment gives the first one's index."""

_SHORT = re.compile(r"~([a-z0-9]+)(.*)")


def _spelled(word: str) -> str:
    if word == '""':
        return ""
    found = _SHORT.fullmatch(word)
    return word if found is None else _BASES[found[1]] + found[2]


STATIC = tuple(_spelled(word) for group in _GROUPS for word in group.split())
"""Word n has the number 2n."""

NUMBERS = {word: 2 * index for index, word in enumerate(STATIC)}
"""The number of each word."""
