// A client of e.net on the WCF of Mono: logs on, posts a document, queries, logs off, and calls once more.
// Caller.exe ADDRESS buffered|streamed string|stream OPERATOR PASSWORD COMPANY FOLDER
// FOLDER has parameters.xml, document.xml and query.xml; what the query finds goes to found.xml there.

using System;
using System.IO;
using System.ServiceModel;
using System.Text;

[ServiceContract(Name = "ISYSPROWcfService", Namespace = "http://SYSPROWcfService")]
public interface IShort
{
    [OperationContract(Action = "Logon", ReplyAction = "http://SYSPROWcfService/ISYSPROWcfService/LogonResponse")]
    string Logon(string Operator, string OperatorPassword, string CompanyId, string CompanyPassword);

    [OperationContract(Action = "Logoff", ReplyAction = "http://SYSPROWcfService/ISYSPROWcfService/LogoffResponse")]
    string Logoff(string UserId);
}

[ServiceContract(Name = "ISYSPROWcfService", Namespace = "http://SYSPROWcfService")]
public interface IText : IShort
{
    [OperationContract(Action = "GetLogonProfile", ReplyAction = "http://SYSPROWcfService/ISYSPROWcfService/GetLogonProfileResponse")]
    string GetLogonProfile(string UserId);

    [OperationContract(Action = "TransactionPost", ReplyAction = "http://SYSPROWcfService/ISYSPROWcfService/TransactionPostResponse")]
    string TransactionPost(string UserId, string BusinessObject, string XmlParameters, string XmlIn);

    [OperationContract(Action = "QueryQuery", ReplyAction = "http://SYSPROWcfService/ISYSPROWcfService/QueryQueryResponse")]
    string QueryQuery(string UserId, string BusinessObject, string XmlIn);
}

[ServiceContract(Name = "ISYSPROWcfService", Namespace = "http://SYSPROWcfService")]
public interface IBytes : IShort
{
    [OperationContract(Action = "GetLogonProfile", ReplyAction = "http://SYSPROWcfService/ISYSPROWcfService/GetLogonProfileResponse")]
    Stream GetLogonProfile(string UserId);

    [OperationContract(Action = "TransactionPost", ReplyAction = "http://SYSPROWcfService/ISYSPROWcfService/TransactionPostResponse")]
    Stream TransactionPost(string UserId, string BusinessObject, string XmlParameters, string XmlIn);

    [OperationContract(Action = "QueryQuery", ReplyAction = "http://SYSPROWcfService/ISYSPROWcfService/QueryQueryResponse")]
    Stream QueryQuery(string UserId, string BusinessObject, string XmlIn);
}

public static class Caller
{
    public static int Main(string[] given)
    {
        var binding = new NetTcpBinding(SecurityMode.None);
        bool streamed = given[1] == "streamed";
        binding.TransferMode = streamed ? TransferMode.Streamed : TransferMode.Buffered;
        binding.MaxReceivedMessageSize = 64 << 20;
        if (!streamed) binding.MaxBufferSize = 64 << 20;
        binding.ReaderQuotas.MaxStringContentLength = 64 << 20;
        binding.ReaderQuotas.MaxArrayLength = 64 << 20;
        binding.SendTimeout = binding.ReceiveTimeout = TimeSpan.FromSeconds(30);
        var address = new EndpointAddress(given[0]);
        if (given[2] == "string")
        {
            var enet = new ChannelFactory<IText>(binding, address).CreateChannel();
            Call(enet, given, enet.TransactionPost, enet.QueryQuery, enet.GetLogonProfile);
        }
        else
        {
            var enet = new ChannelFactory<IBytes>(binding, address).CreateChannel();
            Call(enet, given, (a, b, c, d) => Read(enet.TransactionPost(a, b, c, d)),
                 (a, b, c) => Read(enet.QueryQuery(a, b, c)), a => Read(enet.GetLogonProfile(a)));
        }
        Environment.Exit(0);
        return 0;
    }

    static void Call(IShort enet, string[] given, Func<string, string, string, string, string> post,
                     Func<string, string, string, string> query, Func<string, string> profile)
    {
        Func<string, string> file = name => Path.Combine(given[6], name);
        string id = enet.Logon(given[3], given[4], given[5], "");
        Console.WriteLine(id.Trim().Length);
        string posted = post(id, "APSTIN", File.ReadAllText(file("parameters.xml")), File.ReadAllText(file("document.xml")));
        Console.WriteLine(posted.Contains("<ItemsProcessed>000001</ItemsProcessed>"));
        string found = query(id, "COMFND", File.ReadAllText(file("query.xml")));
        File.WriteAllText(file("found.xml"), found, new UTF8Encoding(false));
        Console.WriteLine(enet.Logoff(id));
        try { profile(id); Console.WriteLine("no fault"); }
        catch (FaultException error) { Console.WriteLine(error.Message); }
    }

    static string Read(Stream stream)
    {
        using (var reader = new StreamReader(stream, Encoding.UTF8)) return reader.ReadToEnd();
    }
}
