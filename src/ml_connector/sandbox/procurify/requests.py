"""What the contract lets a body hold, in the notation of `incoming.parsed`."""

from ml_connector.sandbox.procurify.incoming import parsed

_VENDOR = """
    active b, addressLineOne s300?, addressLineTwo s300?, postalCode s20?, city s50?, state_province s40?,
    country s80?, phoneOne s20?, phoneTwo s20?, fax s20?, comments s?, contact s50?, url s200?, external_id s100?,
    currency i?, payment_term_ref {Named}?, shipping_term_ref {Named}?, payment_method_ref {Named}?,
    shipping_method_ref {Named}?, tax i?, default_payment_method i?, is_1099_eligible b?, is_auto_email_po_enabled b,
    po_pdf_labels s200, email_configurations {}"""
_ADDRESSED = """
    buyer_name s1-100*, buyer_contact s1-100*, buyer_addressLineOne s1-300*, buyer_postalCode s1-20*,
    buyer_city s1-50*, buyer_state_province s40, buyer_country s1-80*, buyer_address i*,
    receiver_name s1-100*, receiver_contact s1-100*, receiver_addressLineOne s1-300*, receiver_postalCode s1-20*,
    receiver_city s1-50*, receiver_state_province s40, receiver_country s1-80*, receiver_address i*"""

TYPES = {
    name: parsed(text)
    for name, text in {
        "Vendor": f"name s1-150*, email [m]*, type e1-7*, overall_score n2.3*?, {_VENDOR}",
        "Named": "name s1-100*, description s?, active b",
        "AccountCode": "code s1-50*, description s1-200*, account_type e0-5, parent i?, departments [i]",
        "AccountCodeUpdate": "code s1-50*, description s1-200*, account_type e0-5",
        "Department": "name s1-150*, branch i*, external_id s100?, active b, punchout_email s1-?",
        "Address": """
            name s1-150*, addressLineOne s1-300*, city s1-50*, postalCode s1-20*, state_province s40,
            country s1-80*""",
        "Location": """
            name s1-150*, url s?, logo s?, currency s1-*, phoneOne s1-20*, fax s20?, email m?,
            primary_billing_address {Address}*, primary_shipping_address {Address}*, shipping_addresses [Address]*,
            language e1-1, locationTimezone s?, active b, external_id s100?""",
        "MarkAsPaid": "bill_uuids [s1-]*, bill_group_ids [i], payment_date d*",
        "Bill": """
            vendor i, currency i, approver i?, approval_chain i?, invoice_number s50, invoice_date t?, due_date t?,
            payment_terms s100, payment_method i?, note s, gl_post_date t?""",
        "Receipt": "order_item i*, pass_quantity n10.5*, fail_quantity n10.5*",
        "Order": f"""
            version i*, order_items [OrderLine]*, custom_fields [{{}}], PO_Num s30?, comment s?, promise_date t*,
            freight n13.6?, discount {{}}*, tax {{}}*, other n13.6?, disclaimer_description s100?,
            disclaimer_text s?, payment_term_ref i?, shipping_term_ref i?, payment_method_ref i?,
            shipping_method_ref i?, creditcard i?, expiry_date t?, contract i?, {_ADDRESSED}""",
        "OrderLine": """
            id i*, name s1-255*, sku s100, unit s1-30*, quantity n10.5*, price n13.8*, po_note s,
            custom_fields [{}]*, tax_amount n13.8?, shipping_amount n13.8?""",
        "Requisition": "required_date d*, location_name s1-*, department_name s1-*, line_items [RequisitionLine]*",
        "RequisitionLine": """
            item_name s1-255*, vendor_name s1-*, account_code s1-*, unit_price n13.8*, quantity n10.5*, unit s1-30*,
            currency_code s1-*, custom_fields [LineField]*""",
        "LineField": "custom_field_name s1-*, custom_field_value s1-*",
    }.items()
}
